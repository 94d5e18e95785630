import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { errorMessage } from '../../lib/errors.ts';
import { type Finding, fine, type Scene, trouble } from './finding.ts';

const MEGABYTE = 1024 * 1024;
const LARGE_WAL_BYTES = 100 * MEGABYTE;

/** SQLite, "Database File Format": the header's magic, and at byte 68 the application id. */
const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
const APPLICATION_ID_AT = 68;
/** "xopc", as the gateway writes it; 0 until its first start is done. */
const OUR_IDS: readonly number[] = [0, 0x786f7063];

/** Whether the database is there, readable, ours, and not full of what was never folded into it. Opens it as a file only. */
export function checkDatabase(scene: Scene): Finding[] {
  const path = scene.paths.databaseFile;
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return [fine(scene, 'database-new', { path })];
  try {
    const header = readHeader(path);
    const code = judgeHeader(header);
    if (code !== undefined) return [trouble(scene, { severity: 'error', code, values: { path } })];
  } catch (error) {
    const values = { path, reason: errorMessage(error) };
    return [trouble(scene, { severity: 'error', code: 'database-unreadable', values })];
  }
  return judgeSize(size, scene);
}

function readHeader(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    return header.subarray(0, readSync(fd, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

function judgeHeader(header: Buffer): 'database-damaged' | 'database-foreign' | undefined {
  if (header.length < HEADER_BYTES || !header.toString('latin1').startsWith(MAGIC)) return 'database-damaged';
  return OUR_IDS.includes(header.readUInt32BE(APPLICATION_ID_AT)) ? undefined : 'database-foreign';
}

function judgeSize(size: number, scene: Scene): Finding[] {
  const path = scene.paths.databaseFile;
  const walBytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const wal = Math.ceil(walBytes / MEGABYTE);
  const findings = [fine(scene, 'database-intact', { path, size: Math.ceil(size / MEGABYTE), wal })];
  if (walBytes > LARGE_WAL_BYTES)
    findings.push(trouble(scene, { severity: 'warn', code: 'wal-large', values: { path, wal } }));
  return findings;
}
