import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import { insertOutboxRows, type NewOutboxRow } from '../../worker/store/outbox-row.ts';
import { startTelegramEmulator, type TelegramEmulator } from '../emulators/start.ts';
import { createClient } from './http.ts';
import { startProber } from './prober.ts';
import { peakRssMb } from './proc.ts';
import { type Bench, informationRow, median, type Row, ratioRow } from './result.ts';
import { databasePath, seedDatabase } from './seed.ts';
import { type Gateway, startGateway } from './target.ts';

const CHATS = 1_000;
const PER_CHAT = 100;
const QUICK_PER_CHAT = 10;
const STARTS = 3;
const OBSERVE_MS = 10_000;
const DIRECT_MS = 3_000;
/** As many as the gateway has under way at once. */
const AT_ONCE = 32;

/** A token is leased on the whole machine: other programs must not have the same. */
const TOKEN = `${2_000_000 + process.pid}:AAH-secret-of-the-bench`;

/** A start with a long queue of undelivered messages, each chat's in order, beside one with none. */
export const backlogBench: Bench = {
  name: 'backlog',
  async run({ isQuick }) {
    const perChat = isQuick ? QUICK_PER_CHAT : PER_CHAT;
    const telegram = await startTelegramEmulator();
    try {
      const direct = await sendDirectly(telegram);
      const [none, full]: [Recovery[], Recovery[]] = [[], []];
      for (let index = 0; index < (isQuick ? 1 : STARTS); index += 1) {
        none.push(await recover(telegram, 0));
        full.push(await recover(telegram, perChat));
      }
      return describe({ none, full, direct, rows: CHATS * perChat });
    } finally {
      await telegram.stop();
    }
  },
};

/** Its journal of the last run would slow it down. */
async function renew(telegram: TelegramEmulator): Promise<void> {
  await telegram.reset();
  await telegram.registerBot({ token: TOKEN, username: 'bench_bot' });
  for (let chat = 1; chat <= CHATS; chat += 1) await telegram.createChat(TOKEN, chat);
}

/** What the emulator takes from a plain client, in messages per second. */
async function sendDirectly(telegram: TelegramEmulator): Promise<number> {
  await renew(telegram);
  const client = createClient();
  const startedAt = performance.now();
  let sent = 0;
  const loop = async (first: number): Promise<void> => {
    for (let turn = 0; performance.now() - startedAt < DIRECT_MS; turn += 1) {
      const body = { chat_id: ((first + turn * AT_ONCE) % CHATS) + 1, text: textOf(turn) };
      const { status, text } = await client.call({
        url: `${telegram.url}/bot${TOKEN}/sendMessage`,
        method: 'POST',
        body,
      });
      if (status !== 200) throw new Error(`The emulator answered ${status}: ${text}`);
      sent += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_value, index) => loop(index)));
  client.close();
  return sent / ((performance.now() - startedAt) / 1_000);
}

type Recovery = {
  startMs: number;
  /** From the spawn to the first message that Telegram has; none without a queue. */
  firstMs?: number;
  /** Messages written down as delivered. */
  perSecond: number;
  peakMb: number;
  longestHealthMs: number;
};

async function recover(telegram: TelegramEmulator, perChat: number): Promise<Recovery> {
  await renew(telegram);
  const gateway = await startGateway(
    { channels: { telegram: { enabled: true, botToken: TOKEN, apiRoot: telegram.url, sendRate: 1_000 } } },
    (home) => queue(home, perChat),
  );
  const spawnedAt = Date.now() - gateway.startMs;
  const prober = startProber(`${gateway.url}/health`);
  try {
    const firstMs = perChat === 0 ? undefined : (await firstDelivery(telegram)) - spawnedAt;
    const perSecond = await observe(gateway);
    const peakMb = peakRssMb(gateway.workerPid());
    await prober.stop();
    const longestHealthMs = Math.max(...prober.probes.map(({ startedAt, endedAt }) => endedAt - startedAt));
    const failed = prober.probes.find(({ outcome }) => outcome !== 'ok');
    if (failed !== undefined) throw new Error(`A probe failed: ${failed.reason}`);
    return {
      startMs: gateway.startMs,
      perSecond,
      peakMb,
      longestHealthMs,
      ...(firstMs === undefined ? {} : { firstMs }),
    };
  } finally {
    await prober.stop();
    await gateway.stop();
  }
}

/** In turns among the chats, as people write. */
async function queue(home: string, perChat: number): Promise<void> {
  const expiresAt = Date.now() + 24 * 3_600_000;
  await seedDatabase(home, async (database) => {
    for (let turn = 0; turn < perChat; turn += 1) {
      const rows = Array.from(
        { length: CHATS },
        (_value, index): NewOutboxRow => ({
          channel: 'telegram',
          accountId: 'default',
          chatId: String(index + 1),
          part: 1,
          parts: 1,
          text: textOf(turn),
          expiresAt,
        }),
      );
      await database.write((tx) => insertOutboxRows(tx, rows));
    }
  });
}

function textOf(turn: number): string {
  return `${turn}: the weather will be fine, with some clouds in the afternoon.`;
}

/** Epoch milliseconds at which the emulator had answered the first message. */
async function firstDelivery(telegram: TelegramEmulator): Promise<number> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const calls = await telegram.calls({ token: TOKEN, method: 'sendMessage' });
    const finishedAt = calls.find(({ outcome }) => outcome === 200)?.finishedAt ?? undefined;
    if (finishedAt !== undefined) return finishedAt;
    await sleep(20);
  }
  throw new Error('Nothing was delivered within a minute');
}

async function observe(gateway: Gateway): Promise<number> {
  const [before, startedAt] = [countPending(gateway), performance.now()];
  await sleep(OBSERVE_MS);
  return (before - countPending(gateway)) / ((performance.now() - startedAt) / 1_000);
}

function countPending({ home }: Gateway): number {
  const sqlite = new DatabaseSync(databasePath(home), { readOnly: true });
  try {
    const sql = "SELECT count(*) AS n FROM outbox WHERE state IN ('queued', 'sending')";
    return Number(Object.values(sqlite.prepare(sql).get())[0]);
  } finally {
    sqlite.close();
  }
}

type Result = { none: readonly Recovery[]; full: readonly Recovery[]; direct: number; rows: number };

function describe({ none, full, direct, rows }: Result): Row[] {
  const what = `with ${rows.toLocaleString('en')} messages to deliver`;
  const pick = (list: readonly Recovery[], of: (recovery: Recovery) => number, unit: string): string =>
    `${median(list.map(of)).toFixed(0)} ${unit}`;
  const compare = (name: string, of: (recovery: Recovery) => number, unit: string): Row =>
    informationRow({ what: `${name} ${what} (none)`, ours: pick(full, of, unit), baseline: pick(none, of, unit) });
  const perSecond = median(full.map((recovery) => recovery.perSecond));
  const delivery = ratioRow({
    what: `Deliveries to Telegram ${what} (${AT_ONCE} plain requests at once)`,
    ours: `${perSecond.toFixed(0)} per s`,
    baseline: `${direct.toFixed(0)} per s`,
    ratio: perSecond / direct,
    goal: { atLeast: 0 },
  });
  return [
    compare('Start to the first answer', ({ startMs }) => startMs, 'ms'),
    informationRow({
      what: `Start to the first delivery ${what}`,
      ours: pick(full, ({ firstMs = Number.NaN }) => firstMs, 'ms'),
    }),
    { ...delivery, goal: 'for information' },
    compare('Peak RSS of the worker', ({ peakMb }) => peakMb, 'MB'),
    compare('Longest GET /health, on new connections,', ({ longestHealthMs }) => longestHealthMs, 'ms'),
  ];
}
