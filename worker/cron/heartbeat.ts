import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../lib/config/schema.ts';
import { errorCode } from '../../lib/errors.ts';
import type { JobDefinition } from '../store/cron-row.ts';

/** The id of the built-in job. */
export const HEARTBEAT_ID = 'heartbeat';

/** The heartbeat as a job. Its slots are counted from 1970 on, so that a restart does not move them. */
export function describeHeartbeat(config: Config): JobDefinition {
  const { intervalMs, target, targetChatId, isolatedSession, activeHours } = config.gateway.heartbeat;
  return {
    name: 'Heartbeat',
    schedule: { kind: 'every', everyMs: intervalMs, anchorMs: 0 },
    timezone: activeHours?.timezone ?? config.cron.defaultTimezone,
    payload: { kind: 'heartbeat' },
    session: isolatedSession ? 'isolated' : 'main',
    ...(target === undefined || targetChatId === undefined
      ? {}
      : { target: { channel: target, accountId: 'default', chatId: targetChatId, peerKind: 'direct' as const } }),
    overlap: 'skip',
    misfire: 'skip',
    jitterMs: 0,
    maxRetries: 0,
  };
}

const DEFAULT_PROMPT = `This is a heartbeat: nobody wrote to you. Follow the instructions of HEARTBEAT.md below.
When there is nothing that a person must know now, answer HEARTBEAT_OK and nothing else.`;

/** What the agent is asked at a heartbeat, or why there is none now. */
export async function composeHeartbeat(
  config: Config,
  options: { workspaceDir: string; agentId: string; now: number },
): Promise<{ text: string } | { skip: string }> {
  const { prompt = DEFAULT_PROMPT, activeHours } = config.gateway.heartbeat;
  const timezone = activeHours?.timezone ?? config.cron.defaultTimezone;
  if (activeHours !== undefined && !isWithin(activeHours, formatClock(options.now, timezone)))
    return { skip: 'outside of heartbeat.activeHours' };
  const path = join(options.workspaceDir, options.agentId, 'HEARTBEAT.md');
  const instructions = await readIfThere(path);
  if (instructions.trim() === '') return { skip: `${path} is absent or empty` };
  return { text: `${prompt}\n\n${instructions}` };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Over midnight when the end comes before the start. */
function isWithin({ start, end }: { start: string; end: string }, clock: string): boolean {
  return start <= end ? start <= clock && clock < end : clock >= start || clock < end;
}

/** `08:05`, as the clock on the wall of a zone shows it. */
function formatClock(now: number, timeZone: string): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(
    now,
  );
}
