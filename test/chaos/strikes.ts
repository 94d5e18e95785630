import { setTimeout as sleep } from 'node:timers/promises';
import type { SupervisorStatus } from '../../lib/control.ts';
import { callControl } from '../../lib/control-client.ts';
import { resolvePaths } from '../../lib/paths.ts';
import type { Gateway } from '../e2e/gateway.ts';
import type { Scene } from './scene.ts';

/** What a gateway may be put through. */
export const STRIKES = [
  'kill worker',
  /** Whichever there is: serving, booting, draining or standing by. */
  'kill any worker',
  'kill standby',
  'kill tree',
  /** SIGSTOP: it neither works nor ends. */
  'freeze worker',
  'restart',
  'restart twice',
  'force restart',
] as const;

export type Strike = (typeof STRIKES)[number];

/** Two orders that are close together, so that the second meets the first under way. */
const TWICE_MS = 30;

/** Strikes once. Resolves when it is done, not when it is overcome; a killed tree is started again first. */
export async function strike(scene: Scene, kind: Strike, random: () => number): Promise<void> {
  const gateway = scene.gateway();
  switch (kind) {
    case 'kill worker':
      return scene.strike();
    case 'kill any worker':
      return strikeOne(scene, (await askStatus(gateway)).workers, random);
    case 'kill standby':
      return strikeOne(scene, await findIdle(gateway), random);
    case 'kill tree':
      return scene.kill('tree');
    case 'freeze worker':
      return freeze(scene);
    case 'restart':
      return gateway.signal('SIGUSR1');
    case 'restart twice':
      gateway.signal('SIGUSR1');
      await sleep(random() * TWICE_MS);
      return gateway.signal('SIGUSR1');
    case 'force restart':
      return forceRestart(gateway);
    default:
      kind satisfies never;
  }
}

/** What the supervisor says of itself and its workers. */
export function askStatus(gateway: Gateway): Promise<SupervisorStatus> {
  return callControl(socketOf(gateway), { do: 'status' });
}

/** As `xopc gateway restart --force` does. */
export async function forceRestart(gateway: Gateway): Promise<void> {
  await callControl(socketOf(gateway), { do: 'restart', force: true, reason: 'chaos' });
}

function socketOf({ home }: Gateway): string {
  return resolvePaths({ HOME: home.path, XOPC_HOME: home.stateDir }).controlSocket;
}

async function findIdle(gateway: Gateway): Promise<SupervisorStatus['workers']> {
  const { workers } = await askStatus(gateway);
  return workers.filter(({ stage }) => stage === 'warm');
}

async function strikeOne(scene: Scene, workers: SupervisorStatus['workers'], random: () => number): Promise<void> {
  const pid = workers[Math.floor(random() * workers.length)]?.pid;
  if (pid !== undefined && pid !== null) await scene.strike(pid);
}

function freeze(scene: Scene): void {
  const pid = scene.gateway().workerPid();
  scene.blame();
  try {
    if (pid !== 0) process.kill(pid, 'SIGSTOP');
  } catch {
    // It was killed a moment ago, and its successor does not serve yet.
  }
}
