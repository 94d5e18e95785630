import type { Logger } from '../../lib/log.ts';

/** A row of the inbox as far as lanes care. */
type Work = { sessionKey: string };

export type LanesOptions<Row extends Work> = {
  maxConcurrent: number;
  /** Takes the next row of a session, or nothing. */
  claim(sessionKey: string): Promise<Row | undefined>;
  /** Works a row to its end; must not throw for what happens inside the turn. */
  run(row: Row): Promise<void>;
  log: Logger;
};

export type Lanes<Row extends Work> = {
  /** True when a row of this session could be worked on at once, also while draining: whoever still brings one waits for it here. */
  hasRoomFor(sessionKey: string): boolean;
  /** Works a row that is claimed already, after what its session is doing. */
  take(row: Row): void;
  /** Says that a session may have waiting rows. */
  wake(sessionKey: string): void;
  /** Stops claiming. Resolves when the running turns are done, and those that were claimed already. */
  drain(): Promise<void>;
  readonly active: number;
};

/** Pause after a failure of the store, so that a broken disk is not asked in a tight loop. */
const RETRY_MS = 1_000;

type Lane<Row> = { taken: Row[]; done: Promise<void> };

/** One turn at a time per session, several sessions at once (SPEC 6). */
export function createLanes<Row extends Work>(options: LanesOptions<Row>): Lanes<Row> {
  const lanes = new Map<string, Lane<Row>>();
  const waiting = new Set<string>();
  /** Rows that were claimed in one moment with more than there are lanes for. */
  const held = new Map<string, Row[]>();
  let isDraining = false;

  function open(sessionKey: string, taken: Row[]): void {
    const lane: Lane<Row> = { taken, done: Promise.resolve() };
    lanes.set(sessionKey, lane);
    lane.done = work(sessionKey, lane).finally(() => {
      lanes.delete(sessionKey);
      // Taken while the lane was ending: nobody else would work on it.
      if (lane.taken.length > 0) open(sessionKey, lane.taken);
      else openNext();
    });
  }

  async function work(sessionKey: string, lane: Lane<Row>): Promise<void> {
    try {
      for (let row = await next(sessionKey, lane); row !== undefined; row = await next(sessionKey, lane)) {
        await options.run(row);
      }
    } catch (error) {
      options.log.error({ err: error, session: sessionKey }, 'A session could not go on; it tries again in a moment');
      setTimeout(() => wake(sessionKey), RETRY_MS).unref();
    }
  }

  async function next(sessionKey: string, lane: Lane<Row>): Promise<Row | undefined> {
    const taken = lane.taken.shift();
    if (taken !== undefined) return taken;
    waiting.delete(sessionKey);
    return isDraining ? undefined : await options.claim(sessionKey);
  }

  function openNext(): void {
    if (lanes.size >= options.maxConcurrent) return;
    // What was claimed while the draining began is ours: nobody else may work on it.
    for (const sessionKey of isDraining ? [...held.keys()] : waiting) {
      if (lanes.has(sessionKey)) continue;
      waiting.delete(sessionKey);
      const rows = held.get(sessionKey) ?? [];
      held.delete(sessionKey);
      open(sessionKey, rows);
      return;
    }
  }

  function wake(sessionKey: string): void {
    waiting.add(sessionKey);
    if (!lanes.has(sessionKey)) openNext();
  }

  return {
    hasRoomFor: (sessionKey) => !lanes.has(sessionKey) && lanes.size < options.maxConcurrent,
    take(row) {
      const { sessionKey } = row;
      const lane = lanes.get(sessionKey);
      if (lane !== undefined) {
        lane.taken.push(row);
        return;
      }
      held.set(sessionKey, [...(held.get(sessionKey) ?? []), row]);
      wake(sessionKey);
    },
    wake,
    async drain() {
      isDraining = true;
      openNext();
      while (lanes.size > 0) await Promise.all([...lanes.values()].map((lane) => lane.done));
    },
    get active() {
      return lanes.size;
    },
  };
}
