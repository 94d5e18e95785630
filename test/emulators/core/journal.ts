import type { FaultAction } from './faults.ts';

/**
 * How a call ended: an HTTP status, `dropped` (the emulator cut the socket), `aborted` (the client went away first) or
 * `pending` (still open).
 */
export type CallOutcome = number | 'dropped' | 'aborted' | 'pending';

/** What the journal keeps about every call; times are emulator-clock milliseconds. */
export interface CallRecord {
  readonly seq: number;
  readonly at: number;
  finishedAt: number | null;
  outcome: CallOutcome;
  /** The fault that hit this call, if any. */
  fault: FaultAction | null;
  /** Whether the call had its effect, whatever the client was told. */
  processed: boolean;
}

/** The start of a record, before personality fields are added. */
export function openRecord(seq: number, at: number): CallRecord {
  return { seq, at, finishedAt: null, outcome: 'pending', fault: null, processed: false };
}

/** Closes a record once; later calls change nothing. */
export function closeRecord(record: CallRecord, outcome: CallOutcome, at: number): void {
  if (record.finishedAt !== null) return;
  record.outcome = outcome;
  record.finishedAt = at;
}
