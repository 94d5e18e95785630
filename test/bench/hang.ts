import { startProber } from './prober.ts';
import { type Bench, informationRow } from './result.ts';
import { startGatewaySubject, until, withSubject } from './subject.ts';
import { msUntilServed } from './tally.ts';

const LIMIT_MS = 60_000;

/** A worker that is stopped (SIGSTOP) with the default `gateway.hangTimeout`: how long until somebody serves again. */
export const hangBench: Bench = {
  name: 'hang',
  run: () =>
    withSubject(startGatewaySubject, async (subject) => {
      const pid = await subject.servingPid();
      const stoppedAt = performance.now();
      process.kill(pid, 'SIGSTOP');
      const prober = startProber(subject.url, { everyMs: 100, timeoutMs: LIMIT_MS });
      try {
        await until('an answer after SIGSTOP', () => msUntilServed(prober.probes, stoppedAt) !== undefined);
      } finally {
        continueProcess(pid);
        await prober.stop();
      }
      const ms = msUntilServed(prober.probes, stoppedAt) ?? Number.NaN;
      return [
        informationRow({
          what: 'Serving again after the worker was stopped by SIGSTOP (`gateway.hangTimeout` 15 s)',
          ours: `${(ms / 1_000).toFixed(1)} s`,
        }),
      ];
    }),
};

/** A gateway that did not notice must still be able to stop. */
function continueProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It was killed, as it should be.
  }
}
