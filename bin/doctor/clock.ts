import { linesFromEnd } from '../../lib/file-tail.ts';
import { listLogFiles } from '../../lib/log-file.ts';
import { parseRecord } from '../../lib/log-record.ts';
import { formatLocalTime } from '../local-time.ts';
import { type Finding, fine, type Scene, trouble } from './finding.ts';

/** Nobody runs this program before it was written, or in a hundred years. */
const EARLIEST_YEAR = 2025;
const LATEST_YEAR = 2126;
/** The gateway may write while we look, and clocks are adjusted by small steps. */
const TOLERATED_MS = 60_000;
const MAX_TAIL_BYTES = 256 * 1024;

/** Whether the clock can be right: tokens, schedules and the order of messages depend on it. */
export function checkClock(scene: Scene): Finding[] {
  const { now } = scene;
  const time = formatLocalTime(now);
  const year = new Date(now).getUTCFullYear();
  if (year < EARLIEST_YEAR || year > LATEST_YEAR)
    return [trouble(scene, { severity: 'error', code: 'clock-wrong', values: { time } })];
  const newest = newestLogTime(scene.paths.logFile);
  if (newest !== undefined && newest > now + TOLERATED_MS) {
    const values = { time, newest: formatLocalTime(newest) };
    return [trouble(scene, { severity: 'warn', code: 'clock-behind-log', values })];
  }
  return [fine(scene, 'clock-plausible', { time })];
}

/** In milliseconds since 1970; undefined when the log does not tell. */
function newestLogTime(logFile: string): number | undefined {
  for (const path of listLogFiles(logFile).slice(0, 2)) {
    for (const line of linesFromEnd(path, MAX_TAIL_BYTES)) {
      const time = Date.parse(String(parseRecord(line)?.['time']));
      if (!Number.isNaN(time)) return time;
    }
  }
  return undefined;
}
