import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConfigInput } from '../../../lib/config/schema.ts';
import { HEARTBEAT_ID } from '../../../worker/cron/heartbeat.ts';
import { keepHeartbeat } from '../../../worker/cron/keep-heartbeat.ts';
import { makeTemporaryDirectory } from '../../fixtures/programs.ts';
import { createConfig } from '../assembled-gateway.ts';
import { type CronBench, createCronBench, HOUR, NOON } from './cron-bench.ts';

const HALF_HOUR = HOUR / 2;
const TELEGRAPH = { target: 'test', targetChatId: '7' };

type Beat = { bench: CronBench; write(instructions: string): void };

/** A gateway with a heartbeat at noon and a workspace that has no instructions yet. */
async function createBeat(heartbeat: NonNullable<ConfigInput['gateway']>['heartbeat'] = {}): Promise<Beat> {
  const directory = makeTemporaryDirectory();
  onTestFinished(directory.remove);
  const workspaceDir = join(directory.path, 'workspace');
  mkdirSync(join(workspaceDir, 'main'), { recursive: true });
  const config = { agents: { defaults: { model: 'scripted/model' } }, gateway: { heartbeat } };
  const bench = await createCronBench({ config, workspaceDir });
  return { bench, write: (instructions) => writeFileSync(join(workspaceDir, 'main', 'HEARTBEAT.md'), instructions) };
}

describe('the heartbeat', () => {
  it('has the agent follow HEARTBEAT.md each half hour, and tells what it found', async () => {
    const { bench, write } = await createBeat(TELEGRAPH);
    write('Look at the oven.');
    bench.gateway.provider.answers.push('The oven is on fire!');
    await bench.settle(NOON);
    expect(bench.gateway.channel.textsOf('7')).toEqual(['The oven is on fire!']);
    const question = bench.gateway.provider.requests[0]?.messages.at(-1)?.text;
    expect(question).toContain('Look at the oven.');
    expect(question).toContain('HEARTBEAT_OK');
    expect((await bench.store.cronJobs.get(HEARTBEAT_ID))?.next?.slotAt).toBe(NOON + HALF_HOUR);
  });

  it.each(['HEARTBEAT_OK', 'HEARTBEAT_OK – the oven is cold.', 'All is well. **HEARTBEAT_OK**'])(
    'tells nothing when the agent answers "%s"',
    async (answer) => {
      const { bench, write } = await createBeat(TELEGRAPH);
      write('Look at the oven.');
      bench.gateway.provider.answers.push(answer);
      await bench.settle(NOON);
      expect(bench.gateway.channel.sent).toEqual([]);
      expect(await bench.history(HEARTBEAT_ID)).toMatchObject([{ state: 'ok', outcome: 'silent' }]);
    },
  );

  it('asks nothing while there are no instructions, and says so in its history', async () => {
    const { bench, write } = await createBeat();
    await bench.settle(NOON);
    write('  \n');
    await bench.settle(NOON + HALF_HOUR);
    expect(bench.gateway.provider.requests).toEqual([]);
    const reason = expect.stringContaining('HEARTBEAT.md is absent or empty');
    expect(await bench.history(HEARTBEAT_ID)).toMatchObject([
      { state: 'skipped', reason },
      { state: 'skipped', reason },
    ]);
  });

  it.each([
    ['08:00', '12:30', 'UTC', 1],
    ['08:00', '12:00', 'UTC', 0],
    ['22:00', '06:00', 'UTC', 0],
    ['22:00', '06:00', 'Pacific/Auckland', 1],
    ['13:00', '15:00', 'Europe/Berlin', 1],
  ])('between %s and %s in %s takes place %i times at noon UTC', async (start, end, timezone, count) => {
    const { bench, write } = await createBeat({ activeHours: { start, end, timezone } });
    write('Look.');
    await bench.settle(NOON);
    expect(bench.gateway.provider.requests).toHaveLength(count);
  });

  it('has its own words and its own conversation when the configuration says so', async () => {
    const { bench, write } = await createBeat({ prompt: 'Wake up.', isolatedSession: true });
    write('Look.');
    await bench.settle(NOON);
    expect(bench.gateway.provider.requests[0]?.messages.at(-1)?.text).toBe('Wake up.\n\nLook.');
    expect((await bench.history(HEARTBEAT_ID))[0]?.sessionKey).toContain(':cron:');
  });

  it('follows the configuration from one start to the next', async () => {
    const { bench } = await createBeat();
    const keep = async (input: ConfigInput): Promise<void> =>
      keepHeartbeat({ config: createConfig(input), store: bench.store }, bench.tenure);
    const before = await bench.store.cronJobs.get(HEARTBEAT_ID);
    await keep({});
    expect(await bench.store.cronJobs.get(HEARTBEAT_ID)).toEqual(before);
    await keep({ gateway: { heartbeat: { intervalMs: 3 * HOUR } } });
    expect((await bench.store.cronJobs.get(HEARTBEAT_ID))?.schedule).toMatchObject({ everyMs: 3 * HOUR });
    await keep({ gateway: { heartbeat: { enabled: false } } });
    expect(await bench.store.cronJobs.get(HEARTBEAT_ID)).toBeUndefined();
  });
});
