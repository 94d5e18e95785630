import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { isRecord } from '../lib/config/source.ts';
import { errorCode } from '../lib/errors.ts';
import { ensurePrivateDirectory, readTextIfExists, removeFile, takeTextFile, writeFileAtomic } from '../lib/fs.ts';
import { readProcessStat } from './process-identity.ts';

/** Which gateway is meant: a pid alone may be somebody else's by now. */
export type Instance = { pid: number; instanceId: string };

/** The announcement of a restart, so that it is not taken for a crash (LOOP-4). Times are milliseconds since 1970. */
export type RestartIntent = Instance & {
  kind: 'gateway-restart';
  nonce: string;
  createdAt: number;
  expiresAt: number;
};

const LIFETIME_MS = 60_000;
const MAX_BYTES = 1_024;

/** Announces that this gateway is about to be restarted, for 60 s, and returns the nonce to take that back with. */
export function writeRestartIntent(file: string, { pid, instanceId }: Instance): string {
  const nonce = randomUUID();
  const createdAt = Date.now();
  const intent: RestartIntent = {
    ...{ kind: 'gateway-restart', pid, instanceId, nonce, createdAt },
    expiresAt: createdAt + LIFETIME_MS,
  };
  ensurePrivateDirectory(dirname(file));
  writeFileAtomic(file, `${JSON.stringify(intent)}\n`);
  return nonce;
}

/** Takes an announcement back that nobody has consumed. One that somebody else has made since stays. */
export function clearRestartIntent(file: string, nonce: string): void {
  if (parseIntent(readTextIfExists(file))?.nonce === nonce) removeFile(file);
}

/** The announcement if it is meant for this gateway and not too old, else null. The file is gone in any case. */
export function consumeRestartIntent(file: string, own: Instance & { now: number }): RestartIntent | null {
  const intent = takeIntent(file, own.now);
  return intent !== null && isSame(intent, own) ? intent : null;
}

/**
 * The same for a gateway that has just been started: the announcement must be for the one before. That is `replaced`, whose
 * lock was taken over; one that released its lock in order is known only by being gone.
 */
export function consumeAtStart(
  file: string,
  { replaced, now }: { replaced: Instance | null; now: number },
): RestartIntent | null {
  const intent = takeIntent(file, now);
  if (intent === null) return null;
  return (replaced === null ? isGone(intent.pid) : isSame(intent, replaced)) ? intent : null;
}

function takeIntent(file: string, now: number): RestartIntent | null {
  const intent = parseIntent(readOnce(file));
  return intent !== undefined && intent.createdAt <= now && now < intent.expiresAt ? intent : null;
}

/** An announcement only informs: one that cannot be read must not keep the gateway from starting or stopping. */
function readOnce(file: string): string | undefined {
  try {
    return takeTextFile(file, MAX_BYTES);
  } catch {
    return undefined;
  }
}

function parseIntent(text: string | undefined): RestartIntent | undefined {
  const value = parseJson(text ?? '');
  if (!isRecord(value) || value['kind'] !== 'gateway-restart') return undefined;
  const { pid, instanceId, nonce, createdAt, expiresAt } = value;
  if (!isPositive(pid) || !isPositive(createdAt) || !isPositive(expiresAt)) return undefined;
  if (typeof instanceId !== 'string' || typeof nonce !== 'string') return undefined;
  // A longer life than we give is not from us.
  if (expiresAt - createdAt > LIFETIME_MS) return undefined;
  return { kind: 'gateway-restart', pid, instanceId, nonce, createdAt, expiresAt };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}

function isSame(left: Instance, right: Instance): boolean {
  return left.pid === right.pid && left.instanceId === right.instanceId;
}

/** In a container each gateway is PID 1: whoever had our pid before us is gone. */
function isGone(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return readProcessStat(pid)?.state === 'Z';
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}
