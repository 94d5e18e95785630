import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseLockRecord } from '../../supervisor/lock-record.ts';
import { readStartTime } from '../../supervisor/process-identity.ts';
import { makeTemporaryDirectory, programPath } from '../fixtures/programs.ts';
import { lockRecordText, pidOfDeadProcess } from './lock-samples.ts';

const CONTENDERS = 50;
const ROUNDS = 3;

type Contender = { child: ChildProcess; answer(): Promise<string> };

describe('50 simultaneous starters', () => {
  const directory = makeTemporaryDirectory();
  let contenders: Contender[] = [];

  beforeAll(async () => {
    contenders = Array.from({ length: CONTENDERS }, startContender);
    // A first round on another file waits until every program has loaded.
    await race(join(directory.path, 'warm-up.lock'), 0);
  }, 60_000);

  afterAll(() => {
    for (const { child } of contenders) child.kill('SIGKILL');
    directory.remove();
  });

  it.each([
    ['there is no lock', () => undefined],
    ['the owner is dead', (file: string) => writeFileSync(file, lockRecordText({ pid: pidOfDeadProcess() }))],
    [
      'the pid of the owner is used by another process',
      async (file: string) => {
        const startTime = ((await readStartTime(process.pid)) ?? 0) - 1;
        writeFileSync(file, lockRecordText({ pid: process.pid, startTime }));
      },
    ],
    ['the lock is torn and old', (file: string) => writeTornFile(file, 10)],
    [
      'the lock is stale and its taker died too',
      (file: string) => {
        const stale = lockRecordText({ pid: pidOfDeadProcess() });
        const hash = createHash('sha256').update(stale).digest('hex').slice(0, 16);
        writeFileSync(file, stale);
        writeFileSync(`${file}.takeover.${hash}`, lockRecordText({ pid: pidOfDeadProcess(), instanceId: 'taker' }));
      },
    ],
  ])(
    'have exactly one winner when %s',
    async (_name, prepare) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const file = join(directory.path, `round.${round}.lock`);
        await prepare(file);
        const winners = await race(file, 150);
        expect(winners).toHaveLength(1);
        // The winner has let go by now and nothing of the fight is left.
        expect(readdirSync(dirname(file)).filter((name) => name.includes(basename(file)))).toEqual([]);
      }
    },
    30_000,
  );

  it('have no winner when the owner lives', async () => {
    const file = join(directory.path, 'live.lock');
    const content = lockRecordText({ pid: process.pid, startTime: await readStartTime(process.pid) });
    writeFileSync(file, content);
    expect(await race(file, 100)).toEqual([]);
    expect(parseLockRecord(content)?.pid).toBe(process.pid);
  });

  async function race(file: string, waitMs: number): Promise<Contender[]> {
    const startAt = Date.now() + 50;
    const answers = contenders.map((contender) => contender.answer());
    for (const { child } of contenders) child.stdin?.write(`acquire ${file} ${startAt} ${waitMs}\n`);
    const results = await Promise.all(answers);
    expect(results.filter((result) => result !== 'won' && result !== '75')).toEqual([]);
    const winners = contenders.filter((_contender, index) => results[index] === 'won');
    for (const { child } of winners) child.stdin?.write('release\n');
    await waitUntilReleased(file);
    return winners;
  }
});

function startContender(): Contender {
  const child = spawn(process.execPath, [programPath('lock-starter')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  return { child, answer: () => new Promise((resolve) => lines.once('line', resolve)) };
}

function writeTornFile(file: string, ageSeconds: number): void {
  writeFileSync(file, '{"pid":12');
  const then = Date.now() / 1_000 - ageSeconds;
  utimesSync(file, then, then);
}

async function waitUntilReleased(file: string): Promise<void> {
  if (file.endsWith('live.lock')) return;
  const deadline = Date.now() + 5_000;
  while (readdirSync(dirname(file)).includes(basename(file)) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
