import { setTimeout as sleep } from 'node:timers/promises';
import { type KillPlan, type KillResult, measureKills } from './kill.ts';
import { startLoad } from './load.ts';
import { installPm2, startPm2 } from './pm2.ts';
import { listRestartRows } from './restart-rows.ts';
import { type Bench, quantile } from './result.ts';
import { type Subject, startGatewaySubject, startPortOwner, withSubject } from './subject.ts';
import { countFailures, describeReasons, latenciesMs, longestGapMs, type Tally } from './tally.ts';

/** What graceful restarts cost the clients. `quietP99Ms` is the prober's latency under the same load before the first. */
export type RestartResult = { tally: Tally; gapMs: number; quietP99Ms: number };

export type Measured = { name: string; restarts: RestartResult; kills: KillResult };

type Plan = { restarts: number; quietMs: number; gatewayKills: KillPlan; otherKills: KillPlan };

/**
 * More than five crashes of a gateway within ten minutes mean safe mode, by design; so twenty kills are dealt to five
 * gateways, and each worker gets the time to come to rest before the next one. The others have no such limit.
 */
const FULL: Plan = {
  restarts: 20,
  quietMs: 5_000,
  gatewayKills: { subjects: 5, killsEach: 4, spacingMs: 2_000 },
  otherKills: { subjects: 1, killsEach: 20, spacingMs: 1_000 },
};

const QUICK: Plan = {
  restarts: 2,
  quietMs: 1_000,
  gatewayKills: { subjects: 1, killsEach: 2, spacingMs: 2_000 },
  otherKills: { subjects: 1, killsEach: 2, spacingMs: 1_000 },
};

/** Graceful restarts and kill -9 of the process that serves, under fifty clients: ours, a server that owns its port, and pm2. */
export const restartBench: Bench = {
  name: 'restart',
  async run({ isQuick }) {
    const plan = isQuick ? QUICK : FULL;
    const measure = async (name: string, start: () => Promise<Subject>, killPlan: KillPlan): Promise<Measured> => ({
      name,
      restarts: await measureRestarts(name, start, plan),
      kills: await measureKills(name, start, killPlan),
    });
    const gateway = await measure('gateway', startGatewaySubject, plan.gatewayKills);
    const startWithStandby = (): Promise<Subject> => startGatewaySubject({ hasStandby: true });
    const standbyKills = await measureKills('gateway with standby', startWithStandby, plan.gatewayKills);
    const others = [await measure('own port', startPortOwner, plan.otherKills)];
    if (await installPm2()) {
      others.push(await measure('pm2 fork', () => startPm2('fork'), plan.otherKills));
      others.push(await measure('pm2 cluster', () => startPm2('cluster'), plan.otherKills));
    }
    return listRestartRows({ gateway, standbyKills, others, restarts: plan.restarts });
  },
};

/** The first second is for the server and the clients to warm up. */
const WARM_UP_MS = 1_000;

function measureRestarts(name: string, start: () => Promise<Subject>, plan: Plan): Promise<RestartResult> {
  return withSubject(start, async (subject) => {
    const load = startLoad(subject.url);
    await sleep(WARM_UP_MS);
    const quietFrom = performance.now();
    await sleep(plan.quietMs);
    const from = performance.now();
    for (let count = 0; count < plan.restarts; count += 1) await subject.restart();
    const seconds = (performance.now() - from) / 1_000;
    await load.stop();

    const samples = [...load.requests, ...load.probes].filter(({ endedAt }) => endedAt >= from);
    const quiet = load.probes.filter(({ startedAt, endedAt }) => startedAt >= quietFrom && endedAt < from);
    const tally = countFailures(samples);
    process.stderr.write(
      `  ${name}: ${plan.restarts} restarts in ${seconds.toFixed(0)} s, ${tally.failed} of ${tally.total} requests failed ${describeReasons(samples)}\n`,
    );
    return {
      tally,
      gapMs: longestGapMs(load.probes.filter(({ endedAt }) => endedAt >= from)),
      quietP99Ms: quantile(latenciesMs(quiet), 0.99),
    };
  });
}
