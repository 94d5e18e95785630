import { monotonicMs } from '../../../lib/monotonic.ts';
import type { PollOptions } from './poll.ts';
import type { PollTrouble } from './poll-trouble.ts';

/** Tells the operator of a failed poll; `failures` counts those in a row. */
export type TroubleReport = (trouble: PollTrouble, failures: number, cause: unknown) => void;

/**
 * Creates the report of a poll loop that begins now. Its first conflicts are not told, and later ones are logged once, until
 * there was none for as long (TG-2).
 */
export function createTroubleReport(options: Pick<PollOptions, 'account' | 'context' | 'state' | 'timing'>) {
  const { account, context, state, timing } = options;
  const { log } = context;
  const startedAt = monotonicMs();
  let lastConflictAt: number | undefined;

  function reportConflict(text: string, fields: Record<string, unknown>): void {
    const now = monotonicMs();
    if (now - startedAt < timing.conflictQuietMs) {
      log.debug(fields, `telegram: ${text} It is most likely an earlier poll of this gateway.`);
      return;
    }
    // With two pollers now one and now the other gets through: a poll that was answered does not end the conflict.
    const isNew = lastConflictAt === undefined || now - lastConflictAt > timing.conflictQuietMs;
    lastConflictAt = now;
    state.change('conflict', text);
    if (isNew) log.warn(fields, `telegram: ${text}`);
    else log.debug(fields, `telegram: ${text}`);
  }

  const report: TroubleReport = (trouble, failures, cause) => {
    const fields = { accountId: account.accountId, failures, err: cause };
    switch (trouble.kind) {
      case 'unauthorized': {
        const text = `${trouble.text} Check ${account.tokenPath}, then restart the gateway.`;
        state.change('down', text);
        log.error(fields, `telegram: ${text}`);
        return;
      }
      case 'conflict':
        reportConflict(trouble.text, { ...fields, waitMs: Math.round(trouble.waitMs) });
        return;
      case 'webhook':
      case 'retry':
        state.change('degraded', trouble.text);
        log.warn({ ...fields, waitMs: Math.round(trouble.waitMs) }, `telegram: ${trouble.text}`);
        return;
      default:
        trouble satisfies never;
    }
  };
  return report;
}
