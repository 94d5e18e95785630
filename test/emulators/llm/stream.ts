import type { BodyPart } from '../core/exchange.ts';
import type { ReplyPlan } from './plan.ts';

/** The headers of a server-sent event stream. */
export const streamHeaders = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };

/** The rendered events of one streamed answer, in order. */
export interface StreamEvents {
  /** Sent at once, before any pause. */
  readonly opening: string;
  /** Sent together with the first delta. */
  readonly beforeFirst: string;
  readonly deltas: readonly string[];
  readonly closing: string;
}

/** Puts the plan's pauses and cut between the events; without any, the whole stream is one write. */
export function renderParts(plan: ReplyPlan, events: StreamEvents): string | BodyPart[] {
  const { opening, beforeFirst, deltas, closing } = events;
  if (plan.cutAfter === null && plan.firstDelayMs === 0 && plan.gapMs === 0) {
    return `${opening}${beforeFirst}${deltas.join('')}${closing}`;
  }
  const parts: BodyPart[] = opening === '' ? [] : [{ kind: 'text', waitMs: 0, text: opening }];
  for (const [index, delta] of deltas.entries()) {
    if (index === plan.cutAfter) break;
    const waitMs = index === 0 ? plan.firstDelayMs : plan.gapMs;
    parts.push({ kind: 'text', waitMs, text: index === 0 ? `${beforeFirst}${delta}` : delta });
  }
  parts.push(plan.cutAfter === null ? { kind: 'text', waitMs: 0, text: closing } : { kind: 'cut' });
  return parts;
}
