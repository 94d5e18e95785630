import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import type { Paths } from '../../lib/paths.ts';
import { readFatal } from '../../supervisor/fatal.ts';
import type { Output } from '../output.ts';
import { describeProbe } from '../probe-text.ts';
import type { Outcome, Sight } from './watch.ts';

/** `wait` is the time that was allowed, as it was given. */
export type Circumstances = { paths: Paths; output: Output; wait: string };

/** Says why a restart that was waited for did not come about, and what to look at. */
export function explainFailure(
  outcome: Exclude<Outcome, { t: 'restarted' }>,
  { paths, output, wait }: Circumstances,
): ExitError {
  const fail = (message: string, hint = output.text('logsHint')): ExitError =>
    new ExitError(EXIT.failure, message, { hint });
  switch (outcome.t) {
    case 'failed':
      return fail(output.text(outcome.isServing ? 'restartLeft' : 'restartCrashed', { reason: outcome.reason }));
    case 'other':
      return fail(output.text('restartOther', { instance: outcome.instanceId }));
    case 'gone': {
      const fatal = readFatal(paths.fatalFile);
      return fail(output.text('restartGone', { reason: fatal?.message ?? '' }).trim(), fatal?.hint);
    }
    case 'timeout':
      return fail(output.text('restartTimeout', { timeout: wait }), diagnose(outcome.sight, output));
    default:
      return outcome satisfies never;
  }
}

/** What is known of a gateway that takes longer than expected, one line each. */
function diagnose({ moment, endpoint, probe }: Sight, output: Output): string {
  const { phase, pid, workerPid, instanceId, restartFailure, lastExit } = moment;
  const { port } = endpoint;
  const lines = [
    output.text('state', { state: phase }),
    output.text('pids', { supervisor: pid ?? '?', worker: workerPid ?? '?' }),
    output.text('port', { port }),
    describeProbe(probe, { port, expected: instanceId }, output),
    restartFailure === null ? undefined : output.text('restartFailed', { reason: restartFailure }),
    lastExit === null ? undefined : output.text('workerEnded', { ...lastExit }),
    output.text('logsHint'),
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}
