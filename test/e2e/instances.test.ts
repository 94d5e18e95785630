import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callControl } from '../../lib/control-client.ts';
import { type Paths, resolvePaths } from '../../lib/paths.ts';
import { formatLockRecord, parseLockRecord } from '../../supervisor/lock-record.ts';
import { isRunning } from '../supervisor/running-supervisor.ts';
import { type Finished, type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { createHome, type Home } from './home.ts';

/** One configuration of a user, how it is named on the command line, and its gateway. */
type Instance = { home: Home; paths: Paths; args: string[]; env: Record<string, string>; gateway: Gateway };

const home = createHome({});
let instances: Instance[] = [];

beforeAll(async () => {
  // The three ways to name a configuration; one after the other, because that is how a person starts them.
  const named = (name: string): string => join(home.stateDir, name, 'xopc.json');
  instances = [
    await start({}),
    await start({ args: ['--config', named('second')] }),
    await start({ env: { XOPC_CONFIG: named('third'), XOPC_STATE_DIR: join(home.path, 'elsewhere') } }),
  ];
});
afterAll(stopAll);

/** A command for the second one. */
const run = (...args: string[]): Promise<Finished> => runFor(the(1), args);
const the = (index: number): Instance => instances[index] ?? expect.fail('it was not started');

describe('three gateways of one user', () => {
  it('have one place for their locks, and everything else of their own', () => {
    const all = instances.map(({ paths }) => paths);
    expect(new Set(all.map(({ locksDir }) => locksDir)).size).toBe(1);
    for (const kind of ['lockFile', 'stateDir', 'controlSocket', 'databaseFile', 'logFile', 'tokenFile'] as const)
      expect(new Set(all.map((paths) => paths[kind])).size, kind).toBe(3);
    for (const { lockFile, controlSocket, databaseFile, logFile, tokenFile } of all)
      for (const file of [lockFile, controlSocket, databaseFile, logFile, tokenFile])
        expect(existsSync(file), file).toBe(true);
    expect(new Set(instances.map(({ gateway }) => gateway.port)).size).toBe(3);
    expect(new Set(instances.map(({ gateway }) => gateway.token)).size).toBe(3);
  });

  it('let nobody in with the token of another', async () => {
    const { gateway } = the(1);
    expect((await gateway.request('/api/sessions')).status).toBe(200);
    expect((await gateway.request('/api/sessions', { token: the(0).gateway.token })).status).toBe(401);
  });

  it('are each told apart by status', async () => {
    for (const instance of instances) {
      const { port, supervisorPid } = instance.gateway;
      expect(documentOf(await runFor(instance, ['status', '--json']))).toMatchObject({
        ...{ running: true, healthy: true, port, supervisorPid, workerPid: instance.gateway.workerPid() },
      });
    }
  });

  it('show each its own log', async () => {
    const { stdout, code } = await run('logs', '--lines', '1000', '--json');
    const writers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).pid);
    expect(code).toBe(0);
    expect(new Set(writers)).toEqual(new Set([the(1).gateway.supervisorPid, the(1).gateway.workerPid()]));
  });

  it('show each its own token', async () => {
    for (const instance of instances) {
      const { stdout } = await runFor(instance, ['token', '--show', '--yes']);
      expect(stdout).toBe(`${instance.gateway.token}\n`);
    }
  });
});

describe('whatever is done to the second one leaves the others as they are', () => {
  it.each([
    ['status', ['status'], 0],
    ['logs', ['logs', '--lines', '5'], 0],
    ['token', ['token'], 0],
    ['doctor', ['doctor'], 0],
    ['pairing', ['pairing', 'list'], 0],
    ['a restart', ['restart', '--wait'], 0],
    ['a forced restart', ['restart', '--wait', '--force'], 0],
    ['a second start', [], 75],
    ['a stop', ['stop'], 0],
    ['status when it is stopped', ['status'], 3],
    ['a stop when it is stopped', ['stop'], 0],
    ['a restart when it is stopped', ['restart', '--wait'], 3],
  ])('%s', async (_what, args, expected) => {
    const before = await Promise.all([portrait(the(0)), portrait(the(2))]);
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout, stderr }).toMatchObject({ code: expected });
    const after = await Promise.all([portrait(the(0)), portrait(the(2))]);
    for (const [index, { uptimeMs, ...rest }] of after.entries()) {
      expect(before[index]).toMatchObject(rest);
      expect(uptimeMs).toBeGreaterThan(before[index]?.uptimeMs ?? 0);
    }
  });

  it('and it was the second one that was stopped', async () => {
    const { gateway } = the(1);
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(isRunning(gateway.supervisorPid)).toBe(false);
    await expect(gateway.request('/health')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('two configurations with one state directory', () => {
  const other = join(home.stateDir, 'other.json');
  // What a user does who copies the configuration and forgets the rest.
  const env = { XOPC_STATE_DIR: home.stateDir };
  const runOther = (...args: string[]): Promise<Finished> =>
    runXopc(home, ['gateway', ...args, '--config', other], env);

  beforeAll(() => writeFileSync(other, JSON.stringify({ gateway: { port: 0 } }), { mode: 0o600 }));

  it('do not run together: the second is refused with 78, naming the first', async () => {
    const { code, stderr } = await runOther();
    expect(code).toBe(78);
    expect(stderr).toContain(home.configPath);
    expect(stderr).toContain(`PID ${the(0).gateway.supervisorPid}`);
    expect(stderr).toContain('XOPC_STATE_DIR');
  });

  it('are told apart: the commands of the second do not reach the first', async () => {
    const before = await portrait(the(0));
    expect((await runOther('status')).code).toBe(3);
    expect((await runOther('restart', '--wait')).code).toBe(3);
    expect(await runOther('stop')).toMatchObject({ code: 0, stdout: expect.stringContaining('not running') });
    expect(await portrait(the(0))).toMatchObject({ pid: before.pid, workerPid: before.workerPid });
    expect((await runOther('doctor')).stdout).toContain(home.configPath);
  });
});

describe('one configuration through a symbolic link', () => {
  const link = join(home.path, 'link.json');
  const runLinked = (...args: string[]): Promise<Finished> => runXopc(home, ['gateway', ...args, '--config', link]);

  beforeAll(() => symlinkSync(home.configPath, link));

  it('is the same gateway: a second start is refused with 75', async () => {
    const { code, stderr } = await runLinked();
    expect(code).toBe(75);
    expect(stderr).toContain(`already running (PID ${the(0).gateway.supervisorPid}`);
  });

  it('is found by status and reached by restart', async () => {
    const { supervisorPid } = the(0).gateway;
    expect(documentOf(await runLinked('status', '--json'))).toMatchObject({ running: true, supervisorPid });
    const workerPid = the(0).gateway.workerPid();
    expect(documentOf(await runLinked('restart', '--wait', '--json'))).toMatchObject({ pid: supervisorPid });
    expect(the(0).gateway.workerPid()).not.toBe(workerPid);
  });
});

describe('a port on which another gateway answers (MULTI-2)', () => {
  it('is named by doctor before a start, and the start leaves that one alone', async () => {
    const { gateway } = the(0);
    const before = await portrait(the(0));
    writeFileSync(the(1).paths.configPath, JSON.stringify({ gateway: { port: gateway.port } }), { mode: 0o600 });
    const { code, stdout } = await run('doctor');
    expect(code).toBe(1);
    expect(stdout).toContain(before.instanceId);
    const refused = await run();
    expect(refused.code).toBe(69);
    expect(refused.stderr).toContain(`Port ${gateway.port} is already in use`);
    expect(await portrait(the(0))).toMatchObject({ pid: before.pid, workerPid: before.workerPid });
  });

  it('is named by status, also to a program, and not taken for health', async () => {
    const { paths } = the(2);
    const { instanceId } = await portrait(the(0));
    const own = await portrait(the(2));
    // As in another container: its lock can be seen, itself not, and on its port somebody else listens here.
    const lock = parseLockRecord(readFileSync(paths.lockFile, 'utf8')) ?? expect.fail('there is no lock');
    writeFileSync(paths.lockFile, formatLockRecord({ ...lock, port: the(0).gateway.port }));
    const hidden = { XOPC_STATE_DIR: join(home.path, 'elsewhere', 'not-here') };
    const { code, stdout } = await runFor(the(2), ['status'], hidden);
    expect(code).toBe(0);
    expect(stdout).toContain(`you reached instance ${instanceId}, not ${own.instanceId}`);
    expect(documentOf(await runFor(the(2), ['status', '--json'], hidden))).toMatchObject({
      ...{ healthy: false, probe: 'other-instance', instanceId: own.instanceId, reachedInstanceId: instanceId },
    });
  });
});

async function start({ args = [], env = {} }: Partial<Pick<Instance, 'args' | 'env'>>): Promise<Instance> {
  const paths = resolvePaths({ HOME: home.path, XOPC_HOME: home.stateDir, ...env }, args[1]);
  mkdirSync(dirname(paths.configPath), { recursive: true, mode: 0o700 });
  writeFileSync(paths.configPath, JSON.stringify({ gateway: { port: 0 } }), { mode: 0o600 });
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const view: Home = {
    ...home,
    readLock: () => parseLockRecord(read(paths.lockFile)),
    readLog: () => read(paths.logFile),
    readToken: () => read(paths.tokenFile).trim(),
  };
  return { home: view, paths, args, env, gateway: await startGateway({ home: view, args, env }) };
}

/** Runs a command as the owner of this one would. */
function runFor({ args: own, env }: Instance, args: string[], changes: Record<string, string> = {}): Promise<Finished> {
  return runXopc(home, ['gateway', ...args, ...own], { ...env, ...changes });
}

type Portrait = { pid: number; instanceId: string; generation: number | null; workerPid: number; uptimeMs: number };

/** What must not change while others are managed. */
async function portrait({ paths, gateway }: Instance): Promise<Portrait> {
  const { pid, instanceId, active, uptimeMs } = await callControl(paths.controlSocket, { do: 'status' });
  const { body } = await gateway.request('/api/health');
  expect(body).toMatchObject({ instanceId, generation: active, pid: gateway.workerPid() });
  return { pid, instanceId, generation: active, workerPid: gateway.workerPid(), uptimeMs };
}

function documentOf({ stdout }: Finished): Record<string, unknown> {
  return JSON.parse(stdout);
}
