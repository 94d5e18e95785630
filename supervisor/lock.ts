import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ExitError, errorMessage } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import { ensurePrivateDirectory, readTextIfExists, removeFile, touchFile, writeFileAtomic } from '../lib/fs.ts';
import { isoTime } from '../lib/iso-time.ts';
import { VERSION } from '../lib/version.ts';
import { type Claim, type ClaimOptions, claimFile, type Holder, sweepTokens } from './lock-claim.ts';
import { describeOwner, formatLockRecord, type LockRecord } from './lock-record.ts';
import { readPidScope, readStartTime } from './process-identity.ts';

export { inspectLock } from './lock-inspect.ts';

export type LockOptions = {
  file: string;
  configPath: string;
  stateDir: string;
  /** The same value for every lock of one start. */
  instanceId: string;
  /** `instance`: one gateway per configuration; `state`: one gateway per state directory (LOCK-4). */
  purpose: 'instance' | 'state';
  /** Also takes a lock whose owner cannot be judged from here; never one of a live owner. */
  isForced?: boolean;
  /** How long to wait for a live owner to go; default 2,500 ms, so that a refusal comes within 3 s (LOCK-2). */
  waitMs?: number;
};

export type LockUpdate = Partial<Pick<LockRecord, 'phase' | 'port' | 'workerPid'>>;

export type Lock = {
  /** Who held it before and died without releasing it; null when nobody did. Whatever that owner started may still run. */
  readonly replaced: LockRecord | null;
  /** Rewrites what the lock says of its owner. False when the lock is no longer ours. */
  update(change: LockUpdate): boolean;
  /**
   * Tells other containers, which cannot see our process, that we live; to be called every 10 s. Only while the lock is ours;
   * never throws.
   */
  touch(): void;
  /** Removes the lock if it is still ours; safe to call twice (LOCK-5). Never throws: one that stays is stale for the next start. */
  release(): void;
};

const DEFAULT_WAIT_MS = 2_500;
const POLL_MS = 100;

/**
 * Takes a lock for this process, from a dead owner too. Throws an `ExitError` after `waitMs`: 75 when the gateway is
 * already running, 78 when another configuration uses the state directory or the directory cannot be written.
 */
export async function acquireLock(options: LockOptions): Promise<Lock> {
  const record = await createRecord(options);
  const claim: ClaimOptions = {
    file: options.file,
    content: formatLockRecord(record),
    isForced: options.isForced ?? false,
  };
  const deadline = Date.now() + (options.waitMs ?? DEFAULT_WAIT_MS);
  for (;;) {
    const outcome = await tryClaim(claim);
    if (outcome.t === 'won') return openLock(options.file, record, outcome.replaced);
    if (Date.now() >= deadline) throw refusal(options, outcome);
    await delay(outcome.t === 'held' ? POLL_MS : 1);
  }
}

async function createRecord(options: LockOptions): Promise<LockRecord> {
  return {
    pid: process.pid,
    createdAt: isoTime(Date.now()),
    configPath: options.configPath,
    startTime: await readStartTime(process.pid),
    ...readPidScope(),
    instanceId: options.instanceId,
    version: VERSION,
    stateDir: options.stateDir,
    port: null,
    workerPid: null,
    phase: options.purpose === 'instance' ? 'starting' : '',
  };
}

async function tryClaim(options: ClaimOptions): Promise<Claim> {
  try {
    ensurePrivateDirectory(dirname(options.file));
    return await claimFile(options);
  } catch (error) {
    throw new ExitError(EXIT.config, `Cannot write the lock file ${options.file}: ${errorMessage(error)}`, {
      cause: error,
      hint: 'Check that the directory exists, belongs to you, has free space and supports hard links.',
    });
  }
}

function refusal(options: LockOptions, claim: Exclude<Claim, { t: 'won' }>): ExitError {
  if (claim.t === 'changed' || claim.holder.owner === null) {
    return new ExitError(EXIT.alreadyRunning, `The lock file ${options.file} is being written by another process.`);
  }
  return refusalBy(options, claim.holder.owner, claim.holder.reason);
}

function refusalBy(options: LockOptions, owner: LockRecord, reason: Holder['reason']): ExitError {
  const who = describeOwner(owner, Date.now());
  if (reason === 'foreign-namespace') {
    return new ExitError(EXIT.alreadyRunning, `${options.file} was taken in another container (${who}).`, {
      hint: 'It gave a sign of life within the last minute. Stop it there; if it is gone, wait a minute or start with --force.',
    });
  }
  if (options.purpose === 'state' && owner.configPath !== options.configPath) {
    return new ExitError(
      EXIT.config,
      `The state directory ${options.stateDir} is in use by the gateway of ${owner.configPath} (${who}).`,
      { hint: 'Give this configuration its own directory with XOPC_STATE_DIR, or stop the other gateway.' },
    );
  }
  return new ExitError(EXIT.alreadyRunning, `The gateway is already running (${who}).`, {
    hint: 'Run `xopc gateway status` to look at it or `xopc gateway stop` to end it.',
  });
}

function openLock(file: string, initial: LockRecord, replaced: LockRecord | null): Lock {
  sweepTokens(file);
  let record = initial;
  const isOurs = (): boolean => readTextIfExists(file) === formatLockRecord(record);
  return {
    replaced,
    update(change) {
      if (!isOurs()) return false;
      record = { ...record, ...change };
      writeFileAtomic(file, formatLockRecord(record));
      return true;
    },
    touch() {
      try {
        if (isOurs()) touchFile(file);
      } catch {
        // Removed in the meantime, or a disk that takes nothing: the next touch may succeed.
      }
    },
    release() {
      try {
        if (isOurs()) removeFile(file);
      } catch {
        // A disk that takes nothing any more must not change how the gateway ends.
      }
    },
  };
}
