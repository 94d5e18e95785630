import { randomUUID } from 'node:crypto';
import type { Config } from '../../lib/config/schema.ts';
import type { Outbound } from '../messages/outbound.ts';
import { formatSessionKey, parseSessionKey } from '../sessions/key.ts';
import { defaultAgentId, isAgentEnabled, resolveNamedSession, routeSession } from '../sessions/route.ts';
import type { CronJob, CronRun } from '../store/cron-row.ts';
import type { InboxPayload, JobTurn, NewInboxRow } from '../store/inbox-row.ts';
import { composeHeartbeat } from './heartbeat.ts';

export type ComposeOptions = {
  config: Config;
  outbound: Pick<Outbound, 'compose'>;
  /** Holds a folder for each agent. */
  workspaceDir: string;
};

/** The channel that stands in the session key of runs with a conversation of their own. */
export const CRON_CHANNEL = 'cron';

/** The message that a run puts into the inbox, or why it is passed over. */
export async function composeRun(
  options: ComposeOptions,
  { job, run, now }: { job: CronJob; run: CronRun; now: number },
): Promise<{ row: NewInboxRow } | { skip: string }> {
  const { config } = options;
  const agentId = job.agentId ?? defaultAgentId(config);
  if (!isAgentEnabled(config, agentId)) return { skip: `the agent "${agentId}" does not exist or is disabled` };
  const runId = randomUUID();
  const sessionKey = sessionOf(config, { job, agentId, runId });
  const address = addressOf(job, sessionKey);
  const { payload } = job;
  switch (payload.kind) {
    case 'systemEvent':
      return { row: composeNotice(options, { runId, sessionKey, address, text: payload.text }) };
    case 'agentTurn': {
      const turn: JobTurn = {
        isLastTry: run.attempt > job.maxRetries,
        ackMaxChars: 0,
        ...(payload.timeoutMs === undefined ? {} : { timeoutMs: payload.timeoutMs }),
      };
      const model = payload.model === undefined ? {} : { model: payload.model };
      return { row: { runId, sessionKey, payload: { ...address, ...model, text: payload.message, job: turn } } };
    }
    case 'heartbeat': {
      const { workspaceDir } = options;
      const prompt = await composeHeartbeat(config, { workspaceDir, agentId, now });
      if ('skip' in prompt) return prompt;
      const turn: JobTurn = { isLastTry: true, ackMaxChars: config.gateway.heartbeat.ackMaxChars };
      return { row: { runId, sessionKey, payload: { ...address, text: prompt.text, job: turn } } };
    }
    default:
      return payload satisfies never;
  }
}

type Conversation = { job: CronJob; agentId: string; runId: string };

function sessionOf(config: Config, { job, agentId, runId }: Conversation): string {
  if (job.session === 'isolated')
    return formatSessionKey({
      agentId,
      channel: CRON_CHANNEL,
      accountId: 'default',
      peerKind: 'direct',
      peerId: job.id,
      threadId: runId,
    });
  const { target } = job;
  if (target === undefined) return resolveNamedSession(config, 'default', agentId);
  const { chatId: peerId, ...origin } = target;
  return routeSession(config, { ...origin, peerId }, agentId);
}

type Address = Omit<InboxPayload, 'text' | 'model' | 'job'>;

/** Where the answer goes: to the chat of the job, else to that of its conversation, if it has any. */
function addressOf({ target }: CronJob, sessionKey: string): Address {
  const sender = { senderId: CRON_CHANNEL };
  if (target !== undefined) return { ...target, ...sender, deliver: true };
  const address = parseSessionKey(sessionKey);
  if (address === undefined) throw new Error(`"${sessionKey}" is no session key`);
  const { channel, accountId, peerKind, peerId: chatId } = address;
  return { channel, accountId, peerKind, chatId, ...sender, deliver: channel !== CRON_CHANNEL };
}

type Notice = { runId: string; sessionKey: string; address: Address; text: string };

/** A text that is delivered as it is; the agent reads it later as its own. */
function composeNotice({ outbound }: ComposeOptions, { runId, sessionKey, address, text }: Notice): NewInboxRow {
  const { channel, accountId, chatId, threadId, deliver } = address;
  const target = { channel, accountId, chatId, ...(threadId === undefined ? {} : { threadId }) };
  return {
    runId,
    sessionKey,
    payload: { ...address, text },
    order: {
      startsAnew: false,
      resumesParked: false,
      messages: [{ role: 'assistant', kind: 'text', text, runId }],
      outbox: deliver ? outbound.compose({ target, text, sessionKey, runId, kind: 'message' }) : [],
    },
  };
}
