import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { WorkerMessage } from '../../lib/ipc.ts';
import { type ForkOptions, findLauncher, forkWorker, type WorkerProcess } from '../../supervisor/child.ts';
import { makeTemporaryDirectory, programPath } from '../fixtures/programs.ts';
import { isRunning, until } from './running-supervisor.ts';

const PATH = process.env['PATH'];
const directory = makeTemporaryDirectory();
let worker: WorkerProcess | undefined;

afterEach(() => worker?.kill());
afterAll(() => directory.remove());

describe('forkWorker', () => {
  it('reports the exit code after the last message', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { messages, end } = fork({ entry: programPath('last-words') });
      expect(await end).toEqual([78, 'exit code 78']);
      expect(messages.map(({ t }) => t)).toEqual(['worker.hello', 'worker.fatal']);
    }
  });

  it('reports a program that does not exist as an exit', async () => {
    const { end } = fork({ entry: join(directory.path, 'missing.js') });
    expect(await end).toEqual([1, 'exit code 1']);
  });

  it('reports a launcher that does not exist as an exit', async () => {
    const { end } = fork({ entry: programPath('last-words'), launcher: ['/no/such/launcher'] });
    const [code, cause] = await end;
    expect(code).toBeNull();
    expect(cause).toContain('cannot be started');
    expect(worker?.pid).toBeUndefined();
    expect(worker?.send({ t: 'lease.grant', epoch: 1 })).toBe(false);
  });

  it('kills a worker that never says hello', async () => {
    const { end } = fork({ entry: programPath('silent'), helloMs: 150 });
    expect(await end).toEqual([null, 'no hello within 150 ms']);
  });

  it('kills what the worker started along with it', async () => {
    const { messages, end } = fork({ entry: programPath('silent'), env: { PATH, WITH_TOOL: '1' } });
    await until(() => messages.length > 0, 'the tool runs');
    const [hello] = messages;
    const tool = hello?.t === 'worker.hello' ? hello.pid : 0;
    expect(isRunning(tool)).toBe(true);
    worker?.kill();
    expect(await end).toEqual([null, 'SIGKILL']);
    await until(() => !isRunning(tool), 'the tool is gone');
  });

  it('kills what a worker left behind when it exits by itself', async () => {
    const { messages, end } = fork({ entry: programPath('last-words'), env: { PATH, WITH_TOOL: '1' } });
    await end;
    const [hello] = messages;
    const tool = hello?.t === 'worker.hello' ? hello.pid : 0;
    expect(tool).toBeGreaterThan(0);
    await until(() => !isRunning(tool), 'the tool is gone');
  });

  it('refuses to send to a worker that is gone, without throwing', async () => {
    const { end } = fork({ entry: programPath('last-words') });
    await end;
    expect(worker?.send({ t: 'lease.grant', epoch: 1 })).toBe(false);
    expect(() => worker?.kill()).not.toThrow();
  });

  it.runIf(process.platform === 'linux')('shows nothing but the entry in the command line', async () => {
    const launcher = findLauncher({ PATH });
    fork({ entry: programPath('silent'), launcher, env: { PATH, SECRET: 'canary' } });
    const line = (): string => readFileSync(`/proc/${worker?.pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    await until(() => !line().includes('setpriv'), 'the launcher has become node');
    expect(line()).toBe(`${process.execPath} ${programPath('silent')}`);
  });
});

describe('findLauncher', () => {
  it('finds none when PATH has none, or one that cannot do it', () => {
    expect(findLauncher({ PATH: directory.path })).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('is setpriv with a parent-death signal where there is one', () => {
    expect([[], ['setpriv', '--pdeathsig', 'KILL']]).toContainEqual(findLauncher({ PATH }));
  });
});

function fork(change: Partial<ForkOptions> & { entry: string }): {
  messages: WorkerMessage[];
  end: Promise<[number | null, string]>;
} {
  const messages: WorkerMessage[] = [];
  const end = new Promise<[number | null, string]>((resolve) => {
    worker = forkWorker({
      generation: 1,
      env: { PATH },
      launcher: [],
      onMessage: (message) => messages.push(message),
      onExit: ({ code, cause }) => resolve([code, cause]),
      ...change,
    });
  });
  return { messages, end };
}
