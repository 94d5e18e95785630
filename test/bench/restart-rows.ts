import type { KillResult } from './kill.ts';
import { CLIENTS } from './load.ts';
import type { Measured, RestartResult } from './restart.ts';
import { informationRow, limitRow, quantile, type Row } from './result.ts';

export type RestartResults = {
  gateway: Measured;
  standbyKills: KillResult;
  /** What is printed beside ours: the server that owns its port, and pm2 when it could be had. */
  others: readonly Measured[];
  restarts: number;
};

/** The table's lines; those of the others stand in the column of the baseline, named. */
export function listRestartRows(results: RestartResults): Row[] {
  return [...listGracefulRows(results), ...listFailureRows(results), ...listRecoveryRows(results)];
}

function listGracefulRows({ gateway, others, restarts }: RestartResults): Row[] {
  const beside = besideOurs(others);
  const { tally } = gateway.restarts;
  return [
    {
      ...noneRow(
        `Refused connections in ${restarts} restarts (SIGUSR1), ${CLIENTS} clients and a prober`,
        tally.refused,
      ),
      baseline: beside(({ restarts: { tally: theirs } }) => count(theirs.refused)),
    },
    {
      ...noneRow('Failed requests in those restarts', tally.failed),
      ours: `${count(tally.failed)} of ${count(tally.total)}`,
      baseline: beside(({ restarts: { tally: theirs } }) => `${count(theirs.failed)} of ${count(theirs.total)}`),
    },
    gapRow('Longest time between two answers to the prober in those restarts', {
      ours: [gateway.restarts, gateway.restarts.gapMs],
      baseline: beside(({ restarts: theirs }) => describeGap(theirs, theirs.gapMs)),
    }),
  ];
}

function listFailureRows({ gateway, standbyKills, others }: RestartResults): Row[] {
  const beside = besideOurs(others);
  const [cold, warm] = [gateway.kills.tally, standbyKills.tally];
  const kills = gateway.kills.backMs.length;
  const row = (what: string, pick: (tally: KillResult['tally']) => number): Row => ({
    ...noneRow(what, pick(cold) + pick(warm)),
    ours: `${count(pick(cold))} (with standby ${count(pick(warm))})`,
    baseline: beside(({ kills: { tally } }) => count(pick(tally))),
  });
  const information = { goal: 'for information', isMet: true };
  return [
    row(`Refused connections in ${kills} kill -9 of the worker`, ({ refused }) => refused),
    row('Failed requests that were sent after the kill', ({ sentAfter }) => sentAfter),
    {
      ...row(
        'Failed: sent after it on a dead connection whose end the client had not read',
        (tally) => tally.onDeadConnection,
      ),
      ...information,
    },
    { ...row('Failed: under way at the moment of the kill', ({ inFlight }) => inFlight), ...information },
  ];
}

function listRecoveryRows({ gateway, standbyKills, others }: RestartResults): Row[] {
  const beside = besideOurs(others);
  const standbyMs = quantile(standbyKills.backMs, 0.5);
  return [
    gapRow('Longest time between two answers to the prober in those kills', {
      ours: [gateway.restarts, gateway.kills.gapMs],
      baseline: beside(({ restarts, kills }) => describeGap(restarts, kills.gapMs)),
    }),
    informationRow({
      what: 'Serving again after kill -9, p50 / longest',
      ours: describeBack(gateway.kills),
      baseline: beside(({ kills }) => describeBack(kills)),
    }),
    {
      ...limitRow({ what: 'The same with `gateway.standby`', value: standbyMs, unit: 'ms', atMost: 100, digits: 0 }),
      ours: describeBack(standbyKills),
    },
  ];
}

function besideOurs(others: readonly Measured[]): (describe: (measured: Measured) => string) => string {
  return (describe) => others.map((measured) => `${measured.name} ${describe(measured)}`).join(' · ');
}

function noneRow(what: string, value: number): Row {
  return { ...limitRow({ what, value, unit: 'failed', atMost: 0, digits: 0 }), ours: count(value) };
}

function gapRow(what: string, { ours, baseline }: { ours: [RestartResult, number]; baseline: string }): Row {
  const [{ quietP99Ms }, gapMs] = ours;
  const result = `× ${(gapMs / quietP99Ms).toFixed(1)} of the prober's p99`;
  return informationRow({ what, ours: `${gapMs.toFixed(0)} ms`, baseline, result });
}

function describeGap({ quietP99Ms }: RestartResult, gapMs: number): string {
  return `${gapMs.toFixed(0)} ms (× ${(gapMs / quietP99Ms).toFixed(1)})`;
}

function describeBack({ backMs }: KillResult): string {
  return `${quantile(backMs, 0.5).toFixed(0)} / ${Math.max(...backMs).toFixed(0)} ms`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
