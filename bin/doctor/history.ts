import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerExit } from '../../lib/control.ts';
import { readExits } from '../../supervisor/exit-file.ts';
import { readFatal } from '../../supervisor/fatal.ts';
import { isRunning } from '../instance.ts';
import { formatLocalTime } from '../local-time.ts';
import { type Finding, fine, type Scene, trouble } from './finding.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** What went wrong before: the last start, crashes of workers, and the logs that they left. */
export function checkHistory(scene: Scene): Finding[] {
  return [...judgeLastStart(scene), ...judgeCrashes(scene), ...listCrashLogs(scene)];
}

function judgeLastStart(scene: Scene): Finding[] {
  const fatal = readFatal(scene.paths.fatalFile);
  if (fatal === undefined) return [];
  const { at, exitCode, message, hint } = fatal;
  // A gateway that runs in spite of it has not forgotten it yet.
  const severity = isRunning(scene.instance) ? 'info' : 'error';
  const values = { at: formatLocalTime(at), code: exitCode, message, hint: hint ?? message };
  return [trouble(scene, { severity, code: 'last-start-failed', values })];
}

function judgeCrashes(scene: Scene): Finding[] {
  const recent = readExits(scene.paths.lastExitsFile).filter(
    ({ isCrash, at }) => isCrash && scene.now - Date.parse(at) < DAY_MS,
  );
  const [newest] = recent;
  if (newest === undefined) return [fine(scene, 'no-crashes')];
  return [
    trouble(scene, {
      severity: 'warn',
      code: 'recent-crashes',
      values: {
        count: recent.length,
        at: formatLocalTime(newest.at),
        reason: describe(newest),
        log: newest.crashLog ?? scene.paths.logFile,
      },
    }),
  ];
}

function describe({ reason, firstErrorLine }: WorkerExit): string {
  return firstErrorLine === null ? reason : `${reason}; ${firstErrorLine}`;
}

function listCrashLogs(scene: Scene): Finding[] {
  const { logsDir } = scene.paths;
  const names = existsSync(logsDir) ? readdirSync(logsDir).filter((name) => /^crash-.*\.log$/.test(name)) : [];
  // The names begin with the time.
  const newest = names.sort().at(-1);
  if (newest === undefined) return [];
  const values = { count: names.length, path: join(logsDir, newest) };
  return [trouble(scene, { severity: 'info', code: 'crash-logs', values })];
}
