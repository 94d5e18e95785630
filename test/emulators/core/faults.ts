/** Everything the fault engine can do to one call. */
export const faultActions = [
  'drop-before',
  'drop-after',
  'half-open',
  'slow',
  'status',
  '429',
  '409',
  'malformed-json',
  'truncate-body',
] as const;

/** One of {@link faultActions}. */
export type FaultAction = (typeof faultActions)[number];

/** Which calls a rule hits; every given field must agree. `nth` counts matching calls from 1. */
export interface FaultMatch {
  readonly method?: string;
  readonly path?: string;
  readonly token?: string;
  readonly chat?: number | string;
  readonly contains?: string;
  readonly nth?: number;
}

/** A rule as a test posts it to `/__/faults`. */
export interface FaultRule {
  readonly match?: FaultMatch;
  readonly action: FaultAction;
  /** How many calls it hits; default 1, -1 for ever. */
  readonly times?: number;
  readonly delayMs?: number;
  /** `slow`: whether the effect happens before or after the delay (default after). */
  readonly effect?: 'before' | 'after';
  /** `half-open`, `status`, `429`, `409`: let the effect happen although the client is not told. */
  readonly process?: boolean;
  readonly status?: number;
  readonly body?: string;
  /** Answer an HTML page, as a front proxy does. */
  readonly html?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly retryAfter?: number;
  /** A personality's own error code, for example `context_length_exceeded`. */
  readonly code?: string;
}

/** What a call looks like to the rules. */
export interface FaultSubject {
  readonly method: string;
  readonly path: string;
  readonly token?: string;
  readonly chat?: string;
  readonly content: () => string;
}

interface ArmedRule {
  readonly rule: FaultRule;
  seen: number;
  left: number;
}

/** Holds the armed rules and picks the one that hits a call. */
export class FaultEngine {
  #rules: ArmedRule[] = [];

  get isIdle(): boolean {
    return this.#rules.length === 0;
  }

  add(rule: FaultRule): void {
    this.#rules.push({ rule, seen: 0, left: rule.times ?? 1 });
  }

  clear(): void {
    this.#rules = [];
  }

  /** The first armed rule that hits; every matching rule counts the call for its `nth`. */
  take(subject: FaultSubject): FaultRule | null {
    let hit: ArmedRule | undefined;
    for (const armed of this.#rules) {
      if (!isMatch(armed.rule.match ?? {}, subject)) continue;
      armed.seen += 1;
      if (armed.left === 0 || armed.seen < (armed.rule.match?.nth ?? 1)) continue;
      hit ??= armed;
    }
    if (hit === undefined) return null;
    if (hit.left > 0) hit.left -= 1;
    return hit.rule;
  }
}

function isMatch(match: FaultMatch, subject: FaultSubject): boolean {
  if (match.method !== undefined && match.method.toLowerCase() !== subject.method.toLowerCase()) return false;
  if (match.path !== undefined && match.path !== subject.path) return false;
  if (match.token !== undefined && match.token !== subject.token) return false;
  if (match.chat !== undefined && String(match.chat) !== subject.chat) return false;
  return match.contains === undefined || subject.content().includes(match.contains);
}
