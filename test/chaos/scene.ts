import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { listLogFiles } from '../../lib/log-file.ts';
import { eventually } from '../e2e/eventually.ts';
import { type Gateway, startGateway } from '../e2e/gateway.ts';
import type { Home } from '../e2e/home.ts';
import { killProcesses } from '../e2e/processes.ts';
import type { Bot, World } from '../e2e/world.ts';
import type { TranscriptMessage } from '../emulators/telegram/control-contract.ts';
import { isRunning } from '../supervisor/running-supervisor.ts';
import { type Asked, type Evidence, findProblems } from './invariants.ts';

export type Victim = 'worker' | 'tree';

export type SceneOptions = {
  /** Beside what every scene is configured with. */
  settings?: ConfigInput['gateway'];
  env?: Readonly<Record<string, string>>;
};

/** A gateway with a bot, people who write to it, and a hand that kills. */
export type Scene = {
  bot: Bot;
  gateway(): Gateway;
  /** A person writes something that the model answers with exactly `answer`; `orders` are directives for the emulated model. */
  ask(chat: number, answer: string, orders?: string): Promise<void>;
  /** `kill -9`. What no longer restarts by itself is started again. Resolves when somebody serves. */
  kill(victim: Victim): Promise<void>;
  /** `kill -9` of one worker, by default the serving one, without waiting for another. */
  strike(pid?: number): Promise<void>;
  /** Says that from now on something may be cut off by other means than `kill` and `strike`. */
  blame(): void;
  /** Restarts by overlap; resolves when the new worker has taken over, with the pid of the old one. */
  replace(): Promise<number>;
  /**
   * Lets everything come to rest: nothing left to receive, answer or deliver. Resolves with what must never happen and did,
   * and is still true when the time is up.
   */
  settle(timeoutMs?: number): Promise<string[]>;
  /** How often something that ran was killed. */
  kills(): number;
  /** What was seen so far. */
  evidence(): Promise<Evidence>;
};

/** Starts a gateway for a bot of its own. */
export async function createScene(world: World, { settings = {}, env = {} }: SceneOptions = {}): Promise<Scene> {
  const bot = await world.createBot();
  // So many deaths would mean safe mode, in which nobody answers on Telegram.
  const config = world.configure(bot, { sendRate: 1_000 }, { gateway: { crashLimit: 0, ...settings } });
  let gateway = await startGateway({ config, env });
  const asked: Asked[] = [];
  const kills: number[] = [];
  let printed = '';

  async function strike(pid: number): Promise<void> {
    // Between two workers there is none.
    if (!isRunning(pid)) return;
    kills.push(Date.now());
    await killProcesses([pid]);
  }

  async function restart(): Promise<void> {
    await gateway.kill('tree');
    printed += gateway.stdout() + gateway.stderr();
    gateway = await startGateway({ home: gateway.home, env });
  }

  async function gather(): Promise<Evidence> {
    const logs = readLogs(gateway.home) + printed + gateway.stdout() + gateway.stderr();
    const secrets = [bot.token, gateway.token];
    return { ...(await collect(world, bot, asked)), asked, kills, logs, secrets };
  }

  const findAll = async (): Promise<string[]> => findProblems(await gather());

  return {
    bot,
    evidence: gather,
    kills: () => kills.length,
    gateway: () => gateway,
    async ask(chat, answer, orders = '') {
      asked.push({ chat, answer });
      await bot.say(chat, `${orders}[[say=${answer}]]`);
    },
    async kill(victim) {
      const previous = gateway.workerPid();
      if (victim === 'worker') {
        await strike(previous);
        await gateway.nextWorker(previous);
        return;
      }
      kills.push(Date.now());
      await restart();
    },
    strike: (pid = gateway.workerPid()) => strike(pid),
    blame: () => void kills.push(Date.now()),
    async replace() {
      const old = gateway.workerPid();
      gateway.signal('SIGUSR1');
      await gateway.nextWorker(old);
      return old;
    },
    async settle(timeoutMs = 20_000) {
      const look = async (): Promise<boolean> => (await isQuiet(world, bot, gateway)) && (await findAll()).length === 0;
      await eventually('rest', look, timeoutMs).catch(() => undefined);
      // What comes now comes too often.
      await sleep(LATE_MS);
      // A restart that is under way hides for a moment that there is nothing left to do.
      const isAtRest = await eventually('rest', () => isQuiet(world, bot, gateway), RESTART_MS).catch(() => false);
      return [...(isAtRest ? [] : ['work is left over']), ...(await findAll())];
    },
  };
}

const LATE_MS = 200;
const RESTART_MS = 5_000;
const ASKED_AT_ONCE = 50;

/** Waits until the model has been asked so many times for this answer, the last time without having given it yet. */
export async function whileThinking(world: World, answer: string, times = 1): Promise<void> {
  await eventually(`the model thinks about ${answer}`, async () => {
    const calls = (await world.llm.calls()).filter(({ body }) => JSON.stringify(body).includes(answer));
    return calls.length === times && calls.at(-1)?.outcome === 'pending';
  });
}

/** Waits until a send of this text is on its way and unanswered. */
export async function whileSending(world: World, bot: Bot, text: string): Promise<void> {
  await eventually(`a send of ${text}`, async () => {
    const calls = await world.telegram.calls({ token: bot.token, method: 'sendMessage' });
    return calls.some(({ outcome, params }) => outcome === 'pending' && String(params['text']).startsWith(text));
  });
}

async function collect(world: World, bot: Bot, asked: readonly Asked[]): Promise<Pick<Evidence, 'answers' | 'calls'>> {
  const calls = await world.telegram.calls({ token: bot.token });
  const chats = new Set([
    ...asked.map(({ chat }) => chat),
    ...calls.flatMap(({ params }) => readChat(params['chat_id'])),
  ]);
  const answers = new Map<number, TranscriptMessage[]>();
  // Not all at once: there may be a thousand.
  for (const some of splitAt([...chats], ASKED_AT_ONCE)) {
    await Promise.all(some.map(async (chat) => answers.set(chat, await bot.answers(chat))));
  }
  return { answers, calls };
}

function splitAt<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_none, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}

function readChat(value: unknown): number[] {
  return value === undefined ? [] : [Number(value)];
}

async function isQuiet(world: World, bot: Bot, gateway: Gateway): Promise<boolean> {
  if ((await world.telegram.pendingUpdates(bot.token)).length > 0) return false;
  const reply = await gateway.request('/api/health').catch(() => undefined);
  if (JSON.stringify(reply?.body['queues']) !== '{"inbox":0,"outbox":0}') return false;
  return hasTakenOver(readLogs(gateway.home), gateway.workerPid());
}

/** Also what was moved aside because the log grew long. */
function readLogs(home: Home): string {
  const files = listLogFiles(join(home.stateDir, 'logs', 'gateway.log')).filter((path) => existsSync(path));
  return files.map((path) => readFileSync(path, 'utf8')).join('');
}

/** Before that a worker does not know yet what is left to deliver. */
function hasTakenOver(log: string, pid: number): boolean {
  return log.split('\n').some((line) => line.includes(`"pid":${pid},`) && line.includes('phase-2 complete'));
}
