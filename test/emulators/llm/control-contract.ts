import type { CallRecord } from '../core/journal.ts';

/** What a test can set; `null` switches a check off. */
export interface LlmSettings {
  /** The key callers must present; null (default) accepts everybody. */
  readonly apiKey?: string | null;
  /** The models that exist; null (default) accepts any name. */
  readonly models?: readonly string[] | null;
  /** Pause before the first delta; default 0. */
  readonly firstDelayMs?: number;
  /** Pause between deltas; default 0. */
  readonly gapMs?: number;
  /** Deltas per streamed answer; default 4. */
  readonly chunks?: number;
  /** Whether calls are recorded; default true, off for benchmarks. */
  readonly journal?: boolean;
}

/** One journal entry of the model emulator. */
export interface LlmCall extends CallRecord {
  readonly method: string;
  readonly path: string;
  /** The request body as parsed JSON; null when there was none. */
  readonly body: unknown;
  /** Whether the client hung up before the answer was complete. */
  readonly aborted: boolean;
}
