import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerExit } from '../lib/control.ts';
import { ensurePrivateDirectory, removeFile, writeFileAtomic } from '../lib/fs.ts';
import type { Redactor } from '../lib/redact.ts';
import { VERSION } from '../lib/version.ts';
import type { LastWords } from './last-words.ts';

export type CrashLogOptions = {
  logsDir: string;
  exit: Omit<WorkerExit, 'crashLog'>;
  words: LastWords;
  redactor: Redactor;
};

/** How many crash logs are kept. */
const MAX_FILES = 10;
const MAX_LINE = 4_096;
const NAME = /^crash-\d{8}T\d{9}Z-\d+\.log$/;

/**
 * Writes what is known of a crash into `crash-<UTC time>-<generation>.log`, for the owner only and without secrets: a line of
 * facts, then the worker's last lines. Keeps the newest ten of them. Returns the path; throws when it cannot be written.
 */
export function writeCrashLog({ logsDir, exit, words, redactor }: CrashLogOptions): string {
  const path = join(logsDir, `crash-${exit.at.replace(/[-:.]/g, '')}-${exit.generation}.log`);
  const sections = [describeExit(exit), ...words.log];
  if (words.stderr.length > 0) sections.push('--- standard error ---', ...words.stderr);
  // Cut last, so that no half of a secret is left.
  const lines = sections.map((line) => redactor.redact(line).slice(0, MAX_LINE));
  ensurePrivateDirectory(logsDir);
  // First, so that a disk which is full of them has room again.
  removeOldest(logsDir, MAX_FILES - 1);
  writeFileAtomic(path, `${lines.join('\n')}\n`);
  return path;
}

function describeExit({
  generation,
  pid,
  at,
  uptimeMs,
  code,
  signal,
  reason,
  firstErrorLine,
}: CrashLogOptions['exit']) {
  const facts = [
    `xopc ${VERSION}`,
    `worker ${generation}`,
    `PID ${pid ?? 'none'}`,
    `ended ${at}`,
    `after ${(uptimeMs / 1_000).toFixed(1)} s`,
    `code ${code ?? 'none'}`,
    `signal ${signal ?? 'none'}`,
    `reason: ${reason}`,
  ];
  if (firstErrorLine !== null) facts.push(`first error: ${firstErrorLine}`);
  return `# ${facts.join(' | ')}`;
}

/** The names begin with the time, so their order is that of the crashes. */
function removeOldest(logsDir: string, keep: number): void {
  const names = readdirSync(logsDir).filter((name) => NAME.test(name));
  for (const name of names.sort().slice(0, -keep)) removeFile(join(logsDir, name));
}
