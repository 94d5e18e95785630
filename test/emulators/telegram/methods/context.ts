import type { EmulatorClock } from '../../core/clock.ts';
import type { Bot } from '../bot.ts';
import type { Params } from '../params.ts';

/** What a method adds to its journal entry. */
export interface CallNotes {
  messageId?: number;
  messageIds?: readonly number[];
  updateIds?: readonly number[];
}

/** Everything one Bot API call works with. */
export interface MethodContext {
  readonly bot: Bot;
  readonly params: Params;
  readonly clock: EmulatorClock;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  readonly notes: CallNotes;
}

/** A Bot API method: returns the `result`, or throws an ApiError. */
export type Method = (context: MethodContext) => unknown;
