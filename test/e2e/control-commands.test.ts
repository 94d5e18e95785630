import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isRunning } from '../supervisor/running-supervisor.ts';
import { eventually } from './eventually.ts';
import { type Finished, type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { sendRequest } from './http.ts';

afterAll(stopAll);

const run = ({ home }: Gateway, ...args: string[]): Promise<Finished> => runXopc(home, ['gateway', ...args]);
const socketOf = ({ home }: Gateway): string => join(home.stateDir, 'run', 'control.sock');
const documentOf = ({ stdout }: Finished): Record<string, unknown> => JSON.parse(stdout);

async function expectGone(gateway: Gateway): Promise<void> {
  expect(isRunning(gateway.supervisorPid)).toBe(false);
  await expect(gateway.request('/health')).rejects.toThrow('ECONNREFUSED');
}

describe('restart --wait', () => {
  it('brings a new worker of the same gateway, and no request fails meanwhile', async () => {
    const gateway = await startGateway({ config: {} });
    const before = gateway.workerPid();
    let isOver = false;
    const load = (async () => {
      const statuses = new Set<number>();
      while (!isOver) statuses.add((await sendRequest(`${gateway.url}/health`)).status);
      return [...statuses];
    })();
    const finished = await run(gateway, 'restart', '--wait', '--json');
    isOver = true;
    expect(await load).toEqual([200]);
    expect(finished.code).toBe(0);
    expect(documentOf(finished)).toMatchObject({
      ...{ ok: true, result: 'restarted', pid: gateway.supervisorPid, generation: 2, workerPid: gateway.workerPid() },
    });
    expect(gateway.workerPid()).not.toBe(before);
    expect(existsSync(join(gateway.home.stateDir, 'run', 'restart-intent.json'))).toBe(false);
    expect((await gateway.request('/health')).body).toMatchObject({ generation: 2 });
    await gateway.stop();
  });

  it('says why the new worker failed, as often as it does, while the old one serves on', async () => {
    const gateway = await startGateway({ config: {} });
    const { port, home } = gateway;
    home.configure({ gateway: { port, auth: { mode: 'token', token: 'short' } } });
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      const { code, stderr } = await run(gateway, 'restart', '--wait');
      expect(code).toBe(1);
      expect(stderr).toContain('the old worker serves on: The gateway token has 5 characters');
    }
    expect((await gateway.request('/health')).body).toMatchObject({ generation: 1 });
    const { stdout } = await run(gateway, 'status');
    expect(stdout).toContain('The last restart failed');
    expect(stdout).toContain('Last ends of workers:');
    home.configure({ gateway: { port } });
    expect((await run(gateway, 'restart', '--wait')).code).toBe(0);
    expect(documentOf(await run(gateway, 'status', '--json'))).toMatchObject({ restartFailure: null });
    await gateway.stop();
  });

  it('works without a control socket, by signal', async () => {
    const gateway = await startGateway({ config: {} });
    rmSync(socketOf(gateway));
    const before = gateway.workerPid();
    const finished = await run(gateway, 'restart', '--wait', '--json');
    expect(documentOf(finished)).toMatchObject({ ok: true, result: 'restarted', generation: 2 });
    expect(gateway.workerPid()).not.toBe(before);
    expect(gateway.home.readLog()).toContain('xopc gateway restart');
    await gateway.stop();
  });

  it('works in place, where the worker stays the same process', async () => {
    const gateway = await startGateway({ config: {}, env: { XOPC_NO_RESPAWN: '1' } });
    const before = gateway.workerPid();
    expect(documentOf(await run(gateway, 'restart', '--wait', '--json'))).toMatchObject({
      ...{ ok: true, result: 'restarted', workerPid: before, generation: 1 },
    });
    await gateway.stop();
  });

  it('is refused when the configuration forbids it, also without a control socket', async () => {
    const gateway = await startGateway({ config: { commands: { restart: false } } });
    const refusal = { code: 1, stderr: expect.stringContaining('commands.restart') };
    expect(await run(gateway, 'restart')).toMatchObject(refusal);
    expect(await run(gateway, 'restart', '--wait')).toMatchObject(refusal);
    rmSync(socketOf(gateway));
    expect(await run(gateway, 'restart', '--wait')).toMatchObject(refusal);
    expect((await gateway.request('/health')).body).toMatchObject({ generation: 1 });
    await gateway.stop();
  });

  it('shows its steps on a terminal, each ticked off when it is done', async () => {
    const gateway = await startGateway({ config: {} });
    const program = join(import.meta.dirname, '..', '..', 'dist', 'bin', 'xopc.js');
    const { path: HOME, stateDir: XOPC_HOME } = gateway.home;
    const child = spawn('script', ['-qfec', `'${process.execPath}' '${program}' gateway restart --wait`, '/dev/null'], {
      env: { PATH: process.env['PATH'], HOME, XOPC_HOME, TERM: 'xterm' },
    });
    let screen = '';
    child.stdout.on('data', (chunk) => {
      screen += String(chunk);
    });
    await new Promise((resolve) => child.once('close', resolve));
    expect(screen).toContain('… Waiting for the new worker');
    expect(screen).toContain('✓ Waiting for the new worker');
    expect(screen).toContain('✅ Gateway restarted in');
    await gateway.stop();
  });
});

describe('stop', () => {
  it('works through the control socket when the lock file was removed', async () => {
    const gateway = await startGateway({ config: {} });
    rmSync(join(gateway.home.stateDir, 'locks'), { recursive: true });
    expect(documentOf(await run(gateway, 'status', '--json'))).toMatchObject({ running: true, healthy: true });
    expect(await run(gateway, 'stop')).toMatchObject({ code: 0, stdout: expect.stringContaining('Gateway stopped') });
    await expectGone(gateway);
  });

  it('works by signal when there is no control socket', async () => {
    const gateway = await startGateway({ config: {} });
    rmSync(socketOf(gateway));
    expect(await run(gateway, 'stop')).toMatchObject({ code: 0, stdout: expect.stringContaining('Gateway stopped') });
    await expectGone(gateway);
    expect((await gateway.ended).code).toBe(0);
  });

  it('asked for twice at once is one stop, and both wait for it', async () => {
    const gateway = await startGateway({ config: {} });
    const both = await Promise.all([run(gateway, 'stop', '--json'), run(gateway, 'stop', '--json')]);
    for (const finished of both) expect(finished.code).toBe(0);
    await expectGone(gateway);
  });

  it('of a supervisor that does not react names it, and is not lost when that wakes up', async () => {
    const gateway = await startGateway({ config: {} });
    gateway.signal('SIGSTOP');
    const { code, stderr } = await run(gateway, 'stop', '--timeout', '100ms');
    expect(code).toBe(1);
    expect(stderr).toContain(`(PID ${gateway.supervisorPid}) is still running`);
    gateway.signal('SIGCONT');
    expect((await gateway.ended).code).toBe(0);
  });

  it('leaves nothing that a next start would stumble over, and kill -9 neither', async () => {
    const gateway = await startGateway({ config: {} });
    await run(gateway, 'stop');
    expect(existsSync(socketOf(gateway))).toBe(false);
    const second = await startGateway({ home: gateway.home });
    await second.kill('tree');
    expect(existsSync(socketOf(gateway))).toBe(true);
    expect(await run(second, 'status')).toMatchObject({ code: 3 });
    expect(await run(second, 'stop')).toMatchObject({ code: 0, stdout: 'Gateway is not running\n' });
    const third = await startGateway({ home: gateway.home });
    expect(documentOf(await run(third, 'status', '--json'))).toMatchObject({ reason: expect.any(String) });
    await third.stop();
  });
});

describe('status', () => {
  it('answers while the worker hangs, and says that it does', async () => {
    const gateway = await startGateway({ config: {} });
    const workerPid = gateway.workerPid();
    process.kill(workerPid, 'SIGSTOP');
    const finished = await run(gateway, 'status');
    process.kill(workerPid, 'SIGCONT');
    expect(finished.code).toBe(0);
    expect(finished.stdout).toContain('does not answer');
    expect(finished.stdout).toContain(`PIDs: supervisor ${gateway.supervisorPid}, worker ${workerPid}`);
    await gateway.stop();
  });

  it('lists a worker that crashed, with the signal that ended it', async () => {
    const gateway = await startGateway({ config: {} });
    const workerPid = gateway.workerPid();
    await gateway.kill('worker');
    await gateway.nextWorker(workerPid);
    const document = documentOf(await run(gateway, 'status', '--json'));
    expect(document).toMatchObject({
      lastExits: [{ pid: workerPid, signal: 'SIGKILL', isCrash: true }],
      crashes: { recent: 1 },
    });
    expect((await run(gateway, 'status')).stdout).toContain('SIGKILL');
    await gateway.stop();
  });

  it('tells of a start that needs a person', async () => {
    const gateway = await startGateway({ config: {} });
    const { home } = gateway;
    await gateway.stop();
    home.configure({ gateway: { auth: { mode: 'token', token: 'short' } } });
    expect((await run(gateway)).code).toBe(78);
    const { code, stdout } = await run(gateway, 'status');
    expect(code).toBe(3);
    expect(stdout).toContain('gave up');
    expect(stdout).toContain('The gateway token has 5 characters');
  });
});

describe('the token of the command line', () => {
  it('is known to the commands beside the gateway, which find it nowhere else', async () => {
    const token = 'canary-of-the-command-line-0123456789';
    const gateway = await startGateway({ config: {}, args: ['--token', token] });
    expect((await run(gateway, 'token', '--show', '--yes')).stdout).toBe(`${token}\n`);
    expect(await run(gateway, 'pairing', 'list')).toMatchObject({ code: 0, stderr: '' });
    expect((await run(gateway, 'status')).stdout).toContain('Token: canary-o...23456789');
    await eventually('the log', () => gateway.home.readLog().includes('/api/pairings'));
    expect(gateway.home.readLog()).not.toContain(token);
    await gateway.stop();
  });
});
