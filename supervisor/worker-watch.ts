import { totalmem } from 'node:os';
import type { Essentials } from '../lib/config/essentials.ts';

/** What the watch notices; times in milliseconds. */
export type WatchFinding =
  | { t: 'worker.suspect'; generation: number; silentMs: number }
  | { t: 'worker.hung'; generation: number; silentMs: number }
  | { t: 'worker.bloated'; generation: number; reason: string };

export type WatchLimits = {
  /** Silence of the main loop after which a worker is given up; 0: never. */
  hangTimeoutMs: number;
  /** Memory above which a worker is replaced; 0: any. */
  maxRssBytes: number;
};

/** How often `tick` shall be called. */
export const TICK_MS = 1_000;
const MAX_SUSPECT_MS = 5_000;
/** Signs of life are as far apart as the ticks: one that comes a little later than the tick is no silence yet. */
const MIN_SUSPECT_MS = 1.5 * TICK_MS;
/** A watch that was itself late by this much saw a suspended or starved machine, not a hung worker. */
const OWN_DELAY_MS = 3 * TICK_MS;
/** How long memory must stay above the limit. */
const BLOATED_MS = 60_000;
const MEMORY_SHARE = 0.6;

/** A leak this far beyond the limit will not wait for a minute, nor will the kernel. */
const FAR_TOO_BIG = 1.25;
const FAR_TOO_BIG_MS = 5_000;

type Watched = {
  heardAt: number;
  isSuspect: boolean;
  isHung: boolean;
  /** Since when its memory is above the limit, and far above it. */
  tooBigSince: number | null;
  farTooBigSince: number | null;
};

/** Judges workers by what their main loops say each second: silent, hung, too big (SPEC 3.5). Keeps no timer and no clock of its own. */
export class WorkerWatch {
  readonly #workers = new Map<number, Watched>();
  #limits: WatchLimits;
  #tickedAt: number | null = null;

  constructor(limits: WatchLimits) {
    this.#limits = limits;
  }

  setLimits(limits: WatchLimits): void {
    this.#limits = limits;
  }

  /** A worker begins to serve, or says that it lives; nothing is expected of one that never did. */
  hear(generation: number, now: number, rssBytes = 0): void {
    // Also a first look that comes too late saw nothing but its own delay.
    this.#tickedAt ??= now;
    const before = this.#workers.get(generation);
    const limit = this.#limits.maxRssBytes === 0 ? Number.POSITIVE_INFINITY : this.#limits.maxRssBytes;
    this.#workers.set(generation, {
      ...{ heardAt: now, isSuspect: false, isHung: false },
      tooBigSince: rssBytes > limit ? (before?.tooBigSince ?? now) : null,
      farTooBigSince: rssBytes > limit * FAR_TOO_BIG ? (before?.farTooBigSince ?? now) : null,
    });
  }

  forget(generation: number): void {
    this.#workers.delete(generation);
  }

  /** Looks at every worker; to be called each `TICK_MS`. Each silence is reported once as suspect and once as hung. */
  tick(now: number): WatchFinding[] {
    const isLate = this.#tickedAt !== null && now - this.#tickedAt > TICK_MS + OWN_DELAY_MS;
    this.#tickedAt = now;
    if (isLate) {
      for (const worker of this.#workers.values()) worker.heardAt = now;
      return [];
    }
    return [...this.#workers].flatMap(([generation, worker]) => this.#judge(generation, worker, now));
  }

  #judge(generation: number, worker: Watched, now: number): WatchFinding[] {
    const { hangTimeoutMs } = this.#limits;
    const silentMs = Math.round(now - worker.heardAt);
    if (hasLasted(worker.tooBigSince, BLOATED_MS, now) || hasLasted(worker.farTooBigSince, FAR_TOO_BIG_MS, now)) {
      worker.tooBigSince = null;
      worker.farTooBigSince = null;
      const limit = Math.round(this.#limits.maxRssBytes / 2 ** 20);
      return [{ t: 'worker.bloated', generation, reason: `worker ${generation} uses more than ${limit} MB` }];
    }
    if (hangTimeoutMs === 0) return [];
    if (silentMs >= hangTimeoutMs && !worker.isHung) {
      worker.isHung = true;
      return [{ t: 'worker.hung', generation, silentMs }];
    }
    const suspectMs = Math.max(MIN_SUSPECT_MS, Math.min(MAX_SUSPECT_MS, hangTimeoutMs / 3));
    if (silentMs < suspectMs || worker.isSuspect) return [];
    worker.isSuspect = true;
    return [{ t: 'worker.suspect', generation, silentMs }];
  }
}

function hasLasted(since: number | null, ms: number, now: number): boolean {
  return since !== null && now - since >= ms;
}

/** The limits that the settings mean on this machine. */
export function limitsOf({ hangTimeoutMs, maxRssMb }: Essentials): WatchLimits {
  return { hangTimeoutMs, maxRssBytes: memoryLimit(maxRssMb) };
}

/** The memory limit of a worker in bytes: as configured, else 60 % of what the machine or its container has (MEM-3). */
export function memoryLimit(maxRssMb: number | undefined): number {
  if (maxRssMb !== undefined) return maxRssMb * 2 ** 20;
  // Without a limit it is 0 or a number beyond any machine.
  const constrained = process.constrainedMemory();
  const available = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.round(available * MEMORY_SHARE);
}
