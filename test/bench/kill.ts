import { setTimeout as sleep } from 'node:timers/promises';
import { startLoad } from './load.ts';
import type { Sample } from './sample.ts';
import { type Subject, until, withSubject } from './subject.ts';
import { countFailuresOfKills, describeReasons, type KillTally, longestGapMs, msUntilServed } from './tally.ts';

/** How many kills, dealt to how many subjects, and how far apart at least. */
export type KillPlan = { subjects: number; killsEach: number; spacingMs: number };

/** What the kills cost the clients. `backMs`: for each kill, until a request that was sent after it had its answer. */
export type KillResult = { tally: KillTally; gapMs: number; backMs: number[] };

/** Kills the process that serves again and again (SIGKILL), under the load of fifty clients and the prober. */
export async function measureKills(name: string, start: () => Promise<Subject>, plan: KillPlan): Promise<KillResult> {
  const startedAt = performance.now();
  const [samples, kills, gaps]: [Sample[], number[], number[]] = [[], [], []];
  for (let round = 0; round < plan.subjects; round += 1) {
    const seen = await withSubject(start, (subject) => killUnderLoad(subject, plan));
    samples.push(...seen.requests, ...seen.probes);
    kills.push(...seen.kills);
    gaps.push(longestGapMs(seen.probes));
  }
  const tally = countFailuresOfKills(samples, kills);
  const seconds = (performance.now() - startedAt) / 1_000;
  process.stderr.write(
    `  ${name}: ${kills.length} kills in ${seconds.toFixed(0)} s, ${tally.failed} of ${tally.total} requests failed ${describeReasons(samples)}\n`,
  );
  return { tally, gapMs: Math.max(...gaps), backMs: kills.map((kill) => msUntilServed(samples, kill) ?? Infinity) };
}

type Seen = { requests: readonly Sample[]; probes: readonly Sample[]; kills: number[] };

const WARM_UP_MS = 500;

async function killUnderLoad(subject: Subject, { killsEach, spacingMs }: KillPlan): Promise<Seen> {
  const kills: number[] = [];
  const load = startLoad(subject.url);
  await subject.recovered();
  await sleep(WARM_UP_MS);
  while (kills.length < killsEach) {
    const pid = await subject.servingPid();
    const killedAt = performance.now();
    process.kill(pid, 'SIGKILL');
    kills.push(killedAt);
    await until('an answer after a kill', () => msUntilServed(load.probes, killedAt) !== undefined);
    await subject.recovered();
    if (kills.length < killsEach) await sleep(Math.max(0, killedAt + spacingMs - performance.now()));
  }
  await load.stop();
  return { requests: load.requests, probes: load.probes, kills };
}
