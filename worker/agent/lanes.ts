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
  /** True when a row of this session could be worked on at once. */
  hasRoomFor(sessionKey: string): boolean;
  /** Works a row that is claimed already, after what its session is doing. */
  take(row: Row): void;
  /** Says that a session may have waiting rows. */
  wake(sessionKey: string): void;
  /** Stops claiming. Resolves when the running turns are done. */
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
  let isDraining = false;

  function open(sessionKey: string, taken: Row[]): void {
    const lane: Lane<Row> = { taken, done: Promise.resolve() };
    lanes.set(sessionKey, lane);
    lane.done = work(sessionKey, lane).finally(() => {
      lanes.delete(sessionKey);
      openNext();
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
    if (isDraining || lanes.size >= options.maxConcurrent) return;
    for (const sessionKey of waiting) {
      if (lanes.has(sessionKey)) continue;
      waiting.delete(sessionKey);
      open(sessionKey, []);
      return;
    }
  }

  function wake(sessionKey: string): void {
    waiting.add(sessionKey);
    if (!lanes.has(sessionKey)) openNext();
  }

  return {
    hasRoomFor: (sessionKey) => !isDraining && !lanes.has(sessionKey) && lanes.size < options.maxConcurrent,
    take(row) {
      const lane = lanes.get(row.sessionKey);
      if (lane === undefined) open(row.sessionKey, [row]);
      else lane.taken.push(row);
    },
    wake,
    async drain() {
      isDraining = true;
      while (lanes.size > 0) await Promise.all([...lanes.values()].map((lane) => lane.done));
    },
    get active() {
      return lanes.size;
    },
  };
}
