import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../e2e/world.ts';
import type { Evidence } from './invariants.ts';
import { createScene, type Scene } from './scene.ts';

export type SoakOptions = { chats: number; messages: number; timeoutMs: number };

export type SoakResult = {
  /** What must never happen and did. */
  problems: string[];
  evidence: Evidence;
  /** Messages answered per second, from the first question to the last answer. */
  perSecond: number;
  /** The most resident memory that each process ever had, in megabytes (`VmHWM` of proc(5)). */
  peakMb: { supervisor: number; worker: number };
};

/** Has people in many chats write so many messages each, all at the same time, and waits until everybody has all answers. */
export async function soak(world: World, { chats, messages, timeoutMs }: SoakOptions): Promise<SoakResult> {
  const scene = await createScene(world);
  const startedAt = Date.now();
  for (let message = 1; message <= messages; message += 1) await askEverybody(scene, chats, message);
  await untilReceived(world, scene, startedAt + timeoutMs);
  const problems = await scene.settle(Math.max(0, startedAt + timeoutMs - Date.now()));
  const gateway = scene.gateway();
  const peakMb = { supervisor: readPeakMb(gateway.supervisorPid), worker: readPeakMb(gateway.workerPid()) };
  const evidence = await scene.evidence();
  await gateway.kill('tree');
  const sends = evidence.calls.filter(({ method }) => method === 'sendMessage');
  const lastAt = sends.reduce((latest, { finishedAt }) => Math.max(latest, finishedAt ?? 0), startedAt);
  const perSecond = Math.round((chats * messages * 1_000) / Math.max(1, lastAt - startedAt));
  return { problems, evidence, perSecond, peakMb };
}

const FIRST_CHAT = 1_001;
const TOGETHER = 25;
const LOOK_EVERY_MS = 500;

async function askEverybody(scene: Scene, chats: number, message: number): Promise<void> {
  for (let first = 0; first < chats; first += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, chats - first) }, (_none, index) => first + index);
    await Promise.all(some.map((chat) => scene.ask(FIRST_CHAT + chat, `c${chat} m${message}`)));
  }
}

/** Looks seldom, not to disturb what is measured. */
async function untilReceived(world: World, scene: Scene, deadline: number): Promise<void> {
  while (Date.now() < deadline && (await isBusy(world, scene))) await sleep(LOOK_EVERY_MS);
}

async function isBusy(world: World, scene: Scene): Promise<boolean> {
  if ((await world.telegram.pendingUpdates(scene.bot.token)).length > 0) return true;
  const { body } = await scene.gateway().request('/api/health');
  return JSON.stringify(body['queues']) !== '{"inbox":0,"outbox":0}';
}

function readPeakMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1_024);
}
