/** How long the poll loop waits for what. */
export type PollTiming = {
  /** Seconds the server may hold a poll that has nothing to tell. */
  longPollS: number;
  /** Milliseconds on top before a poll counts as lost and is abandoned (LIVE-2). */
  graceMs: number;
  retryMinMs: number;
  retryMaxMs: number;
  conflictMinMs: number;
  conflictMaxMs: number;
};

/** The timing of the product; tests shorten it. */
export const POLL_TIMING: PollTiming = {
  longPollS: 30,
  graceMs: 15_000,
  retryMinMs: 1_000,
  retryMaxMs: 30_000,
  conflictMinMs: 5_000,
  conflictMaxMs: 30_000,
};
