import type { Sample } from './sample.ts';

export type Tally = { total: number; refused: number; failed: number };

/** Counts requests; a refused connection is a failed request too. */
export function countFailures(samples: readonly Sample[]): Tally {
  return {
    total: samples.length,
    refused: samples.filter(({ outcome }) => outcome === 'refused').length,
    failed: samples.filter(isFailure).length,
  };
}

/** Failed requests by how they stood to the kills. Every failure is counted once. */
export type KillTally = Tally & {
  /** Sent before a kill and not answered by then: nobody can save those. */
  inFlight: number;
  /** Sent after a kill, but on a connection to the dead process whose end (FIN) the client had not read yet. */
  onDeadConnection: number;
  /** Sent after a kill on a connection begun after it. */
  sentAfter: number;
};

/** Sorts the failures by the moments of the kills, which are in ascending order. */
export function countFailuresOfKills(samples: readonly Sample[], kills: readonly number[]): KillTally {
  const tally = { ...countFailures(samples), inFlight: 0, onDeadConnection: 0, sentAfter: 0 };
  for (const sample of samples.filter(isFailure)) {
    const lastKill = kills.findLast((kill) => kill < sample.startedAt) ?? Number.NEGATIVE_INFINITY;
    if (kills.some((kill) => sample.startedAt <= kill && kill <= sample.endedAt)) tally.inFlight += 1;
    else if (sample.openedAt <= lastKill) tally.onDeadConnection += 1;
    else tally.sentAfter += 1;
  }
  return tally;
}

/** The longest time between two successful answers, in milliseconds. */
export function longestGapMs(samples: readonly Sample[]): number {
  const answers = samples
    .filter((sample) => !isFailure(sample))
    .map(({ endedAt }) => endedAt)
    .sort((left, right) => left - right);
  return answers.reduce((longest, at, index) => Math.max(longest, at - (answers[index - 1] ?? at)), 0);
}

/** From a moment to the first successful answer to a request that was sent later, in milliseconds; undefined when there is none. */
export function msUntilServed(samples: readonly Sample[], since: number): number | undefined {
  const answers = samples
    .filter((sample) => !isFailure(sample) && sample.openedAt > since)
    .map(({ endedAt }) => endedAt);
  return answers.length === 0 ? undefined : answers.reduce((first, at) => Math.min(first, at)) - since;
}

/** How long the successful requests took, in milliseconds. */
export function latenciesMs(samples: readonly Sample[]): number[] {
  return samples.filter((sample) => !isFailure(sample)).map(({ startedAt, endedAt }) => endedAt - startedAt);
}

/** The reasons of the failures with their numbers, most frequent first, for the log. */
export function describeReasons(samples: readonly Sample[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of samples.filter(isFailure)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}

function isFailure({ outcome }: Sample): boolean {
  return outcome !== 'ok';
}
