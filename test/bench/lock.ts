import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStartTime } from '../../supervisor/process-identity.ts';
import { lockRecordText, makeOlder, pidOfDeadProcess } from '../supervisor/lock-samples.ts';
import { type Answer, type Starter, startStarters } from './lock-starters.ts';
import { type Bench, median, type Row } from './result.ts';

const STARTERS = 50;
const ROUNDS = 200;
const QUICK_ROUNDS = 10;

/** By then all starters have read their order. */
const LEAD_MS = 25;

/** Who finds the file in motion tries again for so long; who finds an owner looks once more, after 100 ms. */
const WAIT_MS = 20;
const TORN_AGE_S = 10;

/** What the starters find, as `prepare` leaves it in `file`. */
type Condition = { what: string; winners: 0 | 1; prepare(file: string): void };

/** Many starts at the same moment for one lock file, over and over (LOCK-1): one wins, or none where the owner lives. */
export const lockBench: Bench = {
  name: 'lock',
  async run({ isQuick }) {
    const directory = mkdtempSync(join(tmpdir(), 'xopc-bench-'));
    const starters = startStarters(STARTERS);
    try {
      // A first round waits until every program has loaded.
      await race(starters, join(directory, 'warm-up.lock'), WAIT_MS);
      const rows: Row[] = [];
      for (const condition of await listConditions())
        rows.push(await measure({ condition, starters, directory, rounds: isQuick ? QUICK_ROUNDS : ROUNDS }));
      return rows;
    } finally {
      for (const starter of starters) starter.end();
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

async function listConditions(): Promise<Condition[]> {
  const own = (await readStartTime(process.pid)) ?? 0;
  // A start time nobody has, so that the pid may be given to somebody else meanwhile.
  const dead = { pid: pidOfDeadProcess(), startTime: 1 };
  const stale = lockRecordText(dead);
  const token = createHash('sha256').update(stale).digest('hex').slice(0, 16);
  const write = (text: string) => (file: string) => writeFileSync(file, text);
  return [
    { what: 'there is no lock', winners: 1, prepare: () => undefined },
    { what: 'its owner is dead', winners: 1, prepare: write(stale) },
    {
      what: 'the pid of its owner is used by another process',
      winners: 1,
      prepare: write(lockRecordText({ pid: process.pid, startTime: own - 1 })),
    },
    {
      what: 'it is torn',
      winners: 1,
      prepare(file) {
        writeFileSync(file, '{"pid":12');
        makeOlder(file, TORN_AGE_S);
      },
    },
    {
      what: 'its owner is dead, and so is who began to take it over',
      winners: 1,
      prepare(file) {
        writeFileSync(file, stale);
        writeFileSync(`${file}.takeover.${token}`, lockRecordText({ ...dead, instanceId: 'taker' }));
      },
    },
    { what: 'its owner lives', winners: 0, prepare: write(lockRecordText({ pid: process.pid, startTime: own })) },
  ];
}

type Measurement = { condition: Condition; starters: readonly Starter[]; directory: string; rounds: number };

async function measure({ condition, starters, directory, rounds }: Measurement): Promise<Row> {
  const times: number[] = [];
  let good = 0;
  for (let round = 0; round < rounds; round += 1) {
    const file = join(directory, 'round.lock');
    condition.prepare(file);
    // Where the owner lives nothing moves, and the second look would be the same as the first.
    const winners = await race(starters, file, condition.winners === 0 ? 0 : WAIT_MS);
    if (winners.length === condition.winners) good += 1;
    times.push(...winners.map(({ ms }) => ms));
    for (const name of readdirSync(directory)) rmSync(join(directory, name));
  }
  const who = condition.winners === 1 ? 'one wins' : 'none wins';
  const time = times.length === 0 ? '' : `, the winner after ${median(times).toFixed(0)} ms (p50)`;
  return {
    what: `${STARTERS} starts at once for one lock when ${condition.what}: ${who}`,
    ours: `${good} of ${rounds} rounds${time}`,
    baseline: '–',
    result: `${good} of ${rounds}`,
    goal: `${rounds} of ${rounds}`,
    isMet: good === rounds,
  };
}

/** Returns the answers of those who won, once they have let go again. */
async function race(starters: readonly Starter[], file: string, waitMs: number): Promise<Answer[]> {
  const startAt = Date.now() + LEAD_MS;
  const answers = await Promise.all(starters.map((starter) => starter.acquire({ file, startAt, waitMs })));
  const winners = answers.filter(({ isWon }) => isWon);
  for (const { starter } of winners) starter.release();
  if (winners.length > 0) await untilRemoved(file);
  return winners;
}

async function untilRemoved(file: string): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (readdirSync(dirname(file)).includes(basename(file)) && Date.now() < deadline) await sleep(1);
}
