/** When a job is due: by the wall clock of its time zone, each so many milliseconds since an anchor, or once. Times are epoch milliseconds. */
export type Schedule =
  | { kind: 'cron'; expr: string; timezone: string }
  | { kind: 'every'; everyMs: number; anchorMs: number }
  | { kind: 'at'; atMs: number };

/** What a job does: has the agent answer a message, or delivers a text as it is. */
export type JobPayload =
  | { kind: 'agentTurn'; message: string; model?: string; timeoutMs?: number }
  | { kind: 'systemEvent'; text: string }
  /** What HEARTBEAT.md says at that time. */
  | { kind: 'heartbeat' };

/** The chat that a job writes to. */
export type JobTarget = {
  channel: string;
  accountId: string;
  chatId: string;
  threadId?: string;
  peerKind: 'direct' | 'group';
};

/** What to do with a slot that comes while the run before is not over. */
export type Overlap = 'skip' | 'queue';

/** What to do with slots at which nobody was there: nothing, the newest one, each. */
export type Misfire = 'skip' | 'once' | 'all';

/** What its owner says of a job. */
export type JobDefinition = {
  name?: string;
  schedule: Schedule;
  /** The zone in which times of the job are read and shown. */
  timezone: string;
  payload: JobPayload;
  /** `main`: in the conversation of the chat that it writes to. `isolated`: each run in a conversation of its own. */
  session: 'main' | 'isolated';
  agentId?: string;
  target?: JobTarget;
  overlap: Overlap;
  misfire: Misfire;
  /** A slot is due up to so many milliseconds later, at random. */
  jitterMs: number;
  /** How often a run that failed is tried again. */
  maxRetries: number;
};

/** A slot, and when it is due. */
export type Slot = { slotAt: number; dueAt: number };

export type CronJob = JobDefinition & {
  id: string;
  enabled: boolean;
  /** Rises with each change of the definition. */
  revision: number;
  /** The next slot; undefined when nothing more comes. */
  next?: Slot;
  /** Runs that failed since the last one that did not. */
  failures: number;
  createdAt: number;
  updatedAt: number;
};

/**
 * `waiting` for its turn or its next try; `running`: the message is in the inbox; `answered`: the turn is over, its delivery is
 * not; the others are ends.
 */
export type RunState = 'waiting' | 'running' | 'answered' | 'ok' | 'error' | 'skipped';

export type CronRun = {
  id: number;
  jobId: string;
  /** Undefined for a run by hand. */
  slotAt?: number;
  /** The last one of several slots that were passed over together. */
  slotEnd?: number;
  attempt: number;
  state: RunState;
  /** Why it was passed over or failed. */
  reason?: string;
  readyAt: number;
  runId?: string;
  sessionKey?: string;
  /** How the turn ended. */
  outcome?: TurnEnd;
  /** The beginning of the answer. */
  summary?: string;
  delivery?: DeliveryState;
  createdAt: number;
  startedAt?: number;
  endedAt?: number;
};

/** `silent`: the agent had nothing to say. */
export type TurnEnd = 'ok' | 'silent' | 'error' | 'aborted';

/** `none`: there is no chat to write to, or nothing to write. */
export type DeliveryState = 'none' | 'pending' | 'sent' | 'failed';

/** A job as the table has it. */
export type RawJob = {
  id: string;
  definition: string;
  enabled: number;
  revision: number;
  slot_at: number | null;
  due_at: number | null;
  failures: number;
  created_at: number;
  updated_at: number;
};

/** A job in our terms. */
export function readJob(row: RawJob): CronJob {
  return {
    ...(JSON.parse(row.definition) as JobDefinition),
    id: row.id,
    enabled: row.enabled === 1,
    revision: row.revision,
    failures: row.failures,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.slot_at === null || row.due_at === null ? {} : { next: { slotAt: row.slot_at, dueAt: row.due_at } }),
  };
}

/** A run as the table has it. */
export type RawRun = {
  id: number;
  job_id: string;
  slot_at: number | null;
  slot_end: number | null;
  attempt: number;
  state: RunState;
  reason: string | null;
  ready_at: number;
  run_id: string | null;
  session_key: string | null;
  outcome: TurnEnd | null;
  summary: string | null;
  delivery: DeliveryState | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
};

/** A run in our terms. */
export function readRun(row: RawRun): CronRun {
  return {
    id: row.id,
    jobId: row.job_id,
    attempt: row.attempt,
    state: row.state,
    readyAt: row.ready_at,
    createdAt: row.created_at,
    ...(row.slot_at === null ? {} : { slotAt: row.slot_at }),
    ...(row.slot_end === null ? {} : { slotEnd: row.slot_end }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.run_id === null ? {} : { runId: row.run_id }),
    ...(row.session_key === null ? {} : { sessionKey: row.session_key }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    ...(row.summary === null ? {} : { summary: row.summary }),
    ...(row.delivery === null ? {} : { delivery: row.delivery }),
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  };
}
