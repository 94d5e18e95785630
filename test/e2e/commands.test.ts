import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finished, type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { createHome } from './home.ts';
import { findProcesses } from './processes.ts';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway({ config: {} });
});
afterAll(stopAll);

const run = (...args: string[]): Promise<Finished> => runXopc(gateway.home, ['gateway', ...args]);

describe('beside a gateway that runs', () => {
  it('status tells a person where it is and how to manage it, with the token masked', async () => {
    const { code, stdout, stderr } = await run('status');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { port, token, supervisorPid } = gateway;
    for (const line of [
      'Gateway is running',
      `Port: ${port}`,
      `URL: http://localhost:${port}`,
      `Token: ${token.slice(0, 8)}...${token.slice(-8)}`,
      `PIDs: supervisor ${supervisorPid}, worker ${gateway.workerPid()}`,
      'xopc gateway stop',
    ])
      expect(stdout).toContain(line);
    expect(stdout).not.toContain(token);
  });

  it('status tells a program the same in one JSON document', async () => {
    const { stdout } = await run('status', '--json');
    const { port, supervisorPid } = gateway;
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ ok: true, running: true, healthy: true, state: 'running', port, url: `http://localhost:${port}` },
      ...{ supervisorPid, workerPid: gateway.workerPid(), uptime: expect.any(Number), auth: 'token' },
      queues: { inbox: 0, outbox: 0 },
    });
    expect(stdout).not.toContain(gateway.token);
  });

  it('token shows itself in full only when that is asked for twice, or on a terminal', async () => {
    const { token } = gateway;
    expect((await run('token')).stdout).toBe(`${token.slice(0, 8)}...${token.slice(-8)}\n`);
    expect(await run('token', '--show')).toMatchObject({ code: 1, stdout: '' });
    expect(await run('token', '--show', '--yes')).toMatchObject({ code: 0, stdout: `${token}\n` });
    expect(JSON.parse((await run('token', '--json')).stdout)).toMatchObject({ ok: true, masked: true });
  });

  it('a second start is refused within 3 seconds and names the first', async () => {
    const second = await run();
    expect(second.code).toBe(75);
    expect(second.ms).toBeLessThan(3_500);
    expect(second.stderr).toContain(`already running (PID ${gateway.supervisorPid}`);
    expect(second.stderr).toContain('xopc gateway status');
    expect((await gateway.request('/health')).status).toBe(200);
  });

  it('an option or a command that does not exist is a usage error with a hint', async () => {
    expect(await run('--prot', '1')).toMatchObject({ code: 2, stderr: expect.stringContaining('--port') });
    expect(await run('staus')).toMatchObject({ code: 2 });
    expect(await run('--port', 'http')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"http" is no port'),
    });
  });

  it('stop returns when nothing is left: no process, no port, no lock', async () => {
    const { code, stdout } = await run('stop', '--json');
    expect({ code, answer: JSON.parse(stdout) }).toEqual({
      code: 0,
      answer: { ok: true, result: 'stopped', pid: gateway.supervisorPid },
    });
    expect(findProcesses(gateway.home.path)).toEqual([]);
    expect(gateway.home.readLock()).toBeUndefined();
    await expect(gateway.request('/health')).rejects.toThrow('ECONNREFUSED');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
  });
});

describe('when nothing runs', () => {
  it('status says so and ends with 3', async () => {
    expect(await run('status')).toMatchObject({ code: 3, stdout: expect.stringContaining('Gateway is not running') });
    const { code, stdout } = await run('status', '--json');
    expect({ code, answer: JSON.parse(stdout) }).toMatchObject({
      code: 3,
      answer: { ok: true, running: false, state: 'stopped' },
    });
  });

  it('stop says so and is content', async () => {
    expect(await run('stop')).toMatchObject({ code: 0, stdout: 'Gateway is not running\n' });
  });

  it('pairing says that nobody answers, and how to look', async () => {
    const { code, stderr } = await run('pairing', 'list');
    expect(code).toBe(1);
    expect(stderr).toContain('xopc gateway status');
  });

  it('status of a home where nothing ever ran changes nothing there', async () => {
    const home = createHome();
    expect((await runXopc(home, ['gateway', 'status'])).code).toBe(3);
    expect(home.readLock()).toBeUndefined();
    expect(home.readToken()).toBe('');
  });
});
