/** How long the poll loop waits for what. */
export type PollTiming = {
  /** Seconds the server may hold a poll that has nothing to tell. */
  longPollS: number;
  /** Milliseconds on top before a poll counts as lost and is abandoned; well within the limit of LIVE-2. */
  graceMs: number;
  retryMinMs: number;
  retryMaxMs: number;
  conflictMinMs: number;
  conflictMaxMs: number;
  /** So long after the start of polling a conflict is taken for our own last poll, and not told (TG-2). */
  conflictQuietMs: number;
  /** Between two looks at a webhook, in milliseconds. */
  webhookCheckMs: number;
  /** Between two tries to get the lease of a token that another gateway has (TG-1). */
  leaseRetryMs: number;
  /** The same while our own predecessor has it. */
  predecessorRetryMs: number;
  /** How long a holder has to say who it is. */
  leaseAnswerMs: number;
};

/** The timing of the product; tests shorten it. */
export const POLL_TIMING: PollTiming = {
  longPollS: 30,
  graceMs: 15_000,
  retryMinMs: 1_000,
  retryMaxMs: 30_000,
  conflictMinMs: 5_000,
  conflictMaxMs: 30_000,
  conflictQuietMs: 60_000,
  webhookCheckMs: 60_000,
  leaseRetryMs: 3_000,
  predecessorRetryMs: 100,
  leaseAnswerMs: 2_000,
};
