import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Essentials } from '../../lib/config/essentials.ts';
import { createRedactor } from '../../lib/redact.ts';
import { openExitJournal } from '../../supervisor/exits.ts';
import type { LiveWorkersOptions } from '../../supervisor/live-workers.ts';
import { RunLoop, type RunLoopOptions } from '../../supervisor/run-loop.ts';
import { bindListeners, closeListeners, type Listener } from '../../supervisor/socket.ts';
import { programPath } from '../fixtures/programs.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { openMemoryLog } from './memory-log.ts';
import { isRunning, killTree, listTree } from './process-tree.ts';
import { type LogRecord, until } from './running-supervisor.ts';

export const INSTANCE = '12345678-1234-4123-8123-123456789abc';

/** The settings of a gateway whose workers are given little time. */
export function essentialsOf(change: Partial<Essentials> = {}): Essentials {
  return {
    ...{ bind: { mode: 'loopback' }, port: 0, authMode: 'token', secret: undefined, drainTimeoutMs: 500 },
    ...{ allowsRestart: true, hasStandby: false, hangTimeoutMs: 15_000, maxRssMb: 4_096, crashLimit: 5 },
    ...change,
  };
}

/** A home for workers of the misbehaving kind, with a bound socket; both are given up when the test ends. */
export async function openWorkerScene(mode = 'serve'): Promise<{
  home: string;
  port: number;
  records: LogRecord[];
  options: Omit<LiveWorkersOptions, 'onMessage' | 'onExit' | 'onResponderExit'>;
  setMode(mode: string): void;
}> {
  const home = temporaryDirectory();
  const listeners = await bindListeners({ hosts: ['127.0.0.1'], port: 0 });
  onTestFinished(async () => {
    closeListeners(listeners);
    killTree(home);
    await until(() => listTree(home).length === 0, 'nothing of it runs');
  });
  const { log, records } = openMemoryLog();
  const setMode = (next: string): void => writeFileSync(join(home, 'mode'), next);
  setMode(mode);
  return {
    ...{ home, port: portOf(listeners), records, setMode },
    options: {
      ...{ instanceId: INSTANCE, launcher: [], overrides: {}, listeners, log, logsDir: join(home, 'logs') },
      workerEntry: programPath('worker'),
      responderEntry: programPath('responder'),
      env: { PATH: process.env['PATH'], HOME: home, XOPC_HOME: home },
    },
  };
}

export type LoopScene = {
  loop: RunLoop;
  home: string;
  port: number;
  records: LogRecord[];
  changes: Parameters<RunLoopOptions['onChange']>[0][];
  activated: Parameters<RunLoopOptions['onActivated']>[0][];
  /** What the configuration says now; may be changed. */
  essentials: Essentials;
  setMode(mode: string): void;
};

/** A run loop of this process with real workers, not started; ended with the test. */
export async function openLoopScene(change: Partial<Essentials> = {}, isInPlace = false): Promise<LoopScene> {
  const { home, port, records, options, setMode } = await openWorkerScene();
  const essentials = essentialsOf(change);
  const changes: LoopScene['changes'] = [];
  const activated: LoopScene['activated'] = [];
  const { log, logsDir } = options;
  const loop = new RunLoop({
    ...{ workers: options, isInPlace, log },
    identity: {
      ...{ instanceId: INSTANCE, hosts: ['127.0.0.1'], port, service: null, wasPlanned: false },
      ...{ configPath: join(home, 'xopc.json'), stateDir: home },
    },
    journal: openExitJournal({
      ...{ file: join(home, 'run', 'last-exits.json'), logsDir, logFile: join(logsDir, 'gateway.log'), log },
      redactor: createRedactor(),
    }),
    readEssentials: () => essentials,
    onChange: (next) => changes.push(next),
    onActivated: (worker) => activated.push(worker),
    onTick: () => undefined,
  });
  onTestFinished(() => end(loop));
  return { loop, home, port, records, changes, activated, essentials, setMode };
}

/** Waits until a worker of at least this generation serves, and returns its pid. */
export async function untilActive({ loop }: LoopScene, generation = 1): Promise<number> {
  const isServing = (): boolean => (loop.status().active ?? 0) >= generation && loop.phase !== 'restarting';
  await until(isServing, `worker ${generation} serves`, 10_000);
  const { active, workers } = loop.status();
  return workers.find((worker) => worker.generation === active)?.pid ?? 0;
}

/** Waits for the process of a pid to end. */
export async function untilGone(pid: number): Promise<void> {
  await until(() => !isRunning(pid), `process ${pid} is gone`);
}

async function end(loop: RunLoop): Promise<void> {
  if (loop.phase === 'stopped') return;
  loop.stop('SIGTERM');
  loop.stop('SIGTERM');
  await Promise.race([loop.done, sleep(5_000)]);
}

function portOf([first]: readonly Listener[]): number {
  return first?.port ?? 0;
}
