import * as v from 'valibot';
import { ERROR_STATUS, type ErrorCode } from './errors.ts';
import { MEDIA_TYPES } from './file-kind.ts';

/** The answers of the HTTP API: what the routes return, what clients get, what the document says. */

const iso = v.pipe(v.string(), v.isoTimestamp());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const ok = v.literal('ok');

const CODES = Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]];

/** The body of every error answer. */
export const errorAnswer = v.strictObject({
  error: v.strictObject({
    code: v.picklist(CODES),
    message: v.string(),
    details: v.exactOptional(
      v.pipe(
        v.array(v.strictObject({ path: v.string(), message: v.string() })),
        v.description('Every field of the request that is wrong.'),
      ),
    ),
    requestId: v.exactOptional(v.pipe(v.string(), v.description('Under which the log tells more; from 500 on.'))),
  }),
});

/** An answer of which only the status matters. */
export const noContent = v.undefined();

export const healthAnswer = v.pipe(
  v.looseObject({
    status: v.picklist(['healthy', 'degraded']),
    uptime: v.pipe(count, v.description('Whole seconds.')),
    version: v.string(),
    instanceId: v.string(),
    generation: count,
  }),
  v.description('With a credential also process, channels and queues.'),
);
export const liveAnswer = v.strictObject({ status: v.literal('live') });

export const statusAnswer = v.pipe(
  v.looseObject({
    status: v.picklist(['healthy', 'degraded']),
    version: v.string(),
    uptime: v.pipe(count, v.description('Whole seconds.')),
    started_at: iso,
    instance_id: v.string(),
    generation: count,
  }),
  v.description('Also process, channels, queues and the findings of the security audit.'),
);
export const restartingAnswer = v.strictObject({ status: ok, restarting: v.literal(true), generation: count });

export const replyAnswer = v.strictObject({ status: ok, reply: v.string(), run_id: v.string() });
export const agentAnswer = v.strictObject({ status: ok, reply: v.string(), session: v.string(), run_id: v.string() });
export const abortedAnswer = v.strictObject({ status: ok, aborted: v.literal(true) });
export const deletedAnswer = v.strictObject({ status: ok, deleted: v.literal(true) });

const session = v.strictObject({
  key: v.string(),
  name: v.exactOptional(v.string()),
  status: v.picklist(['active', 'archived']),
  createdAt: iso,
  updatedAt: iso,
  messageCount: count,
  sourceChannel: v.string(),
  sourceChatId: v.string(),
  routing: v.strictObject({
    agentId: v.string(),
    source: v.string(),
    accountId: v.string(),
    peerKind: v.string(),
    peerId: v.string(),
    threadId: v.exactOptional(v.string()),
  }),
});
const message = v.strictObject({
  id: count,
  role: v.picklist(['user', 'assistant']),
  content: v.string(),
  timestamp: iso,
  sender: v.exactOptional(v.pipe(v.string(), v.description('Who of a group said it.'))),
  files: v.exactOptional(v.pipe(v.array(v.string()), v.description('A line for each file that came with it.'))),
  error: v.exactOptional(v.literal(true)),
  run_id: v.exactOptional(v.string()),
  model: v.exactOptional(v.string()),
  usage: v.exactOptional(v.strictObject({ inputTokens: count, outputTokens: count })),
});
const pending = v.strictObject({ run_id: v.string(), role: v.literal('user'), content: v.string(), timestamp: iso });

export const sessionCreatedAnswer = v.strictObject({ status: ok, session, created: v.boolean() });
export const sessionListAnswer = v.strictObject({
  items: v.array(session),
  total: v.pipe(count, v.description('How many match in all.')),
  limit: count,
  offset: count,
  has_more: v.boolean(),
});
export const sessionAnswer = v.strictObject({
  session: v.strictObject({
    ...session.entries,
    messages: v.pipe(v.array(message), v.description('Oldest first.')),
    pending: v.pipe(v.array(pending), v.description('Messages that are not answered yet.')),
    has_more: v.pipe(v.boolean(), v.description('Whether there are older messages.')),
  }),
});

const file = v.strictObject({
  media_type: v.picklist(MEDIA_TYPES),
  name: v.string(),
  mime_type: v.string(),
  size_bytes: count,
});

const outboxMessage = v.strictObject({
  id: v.string(),
  channel: v.string(),
  account_id: v.string(),
  chat_id: v.string(),
  content: v.string(),
  state: v.pipe(
    v.picklist(['queued', 'held', 'sending', 'sent', 'failed', 'unknown']),
    v.description('Held: it waits for its person to write, before which the platform takes nothing more.'),
  ),
  attempts: count,
  part: count,
  parts: count,
  created_at: iso,
  updated_at: iso,
  expires_at: iso,
  next_at: v.exactOptional(iso),
  file: v.exactOptional(file),
  thread_id: v.exactOptional(v.string()),
  run_id: v.exactOptional(v.string()),
  remote_id: v.exactOptional(v.pipe(v.string(), v.description("The platform's own id."))),
  last_error: v.exactOptional(v.string()),
  closed_as: v.exactOptional(v.pipe(v.string(), v.description('The id it was sent again under, or "dropped".'))),
});

export const queuedAnswer = v.strictObject({
  status: ok,
  message_id: v.pipe(v.string(), v.description('The id in the outbox, committed before the answer.')),
});
export const outboxMessageAnswer = v.strictObject({ status: ok, message: outboxMessage });
export const outboxAnswer = v.strictObject({
  items: v.array(outboxMessage),
  pending: count,
  dead: count,
  oldest_at: v.exactOptional(iso),
  next: v.exactOptional(v.pipe(v.string(), v.description('What "before" of the next page is.'))),
});

const channelState = v.picklist(['idle', 'starting', 'up', 'degraded', 'conflict', 'login-needed', 'down']);
const account = v.strictObject({
  account_id: v.string(),
  state: channelState,
  since: iso,
  last_error: v.exactOptional(v.string()),
  last_exchange_at: v.exactOptional(iso),
});
const channel = v.strictObject({
  id: v.string(),
  label: v.string(),
  state: channelState,
  last_error: v.exactOptional(v.string()),
  accounts: v.array(account),
  restarts: count,
});
const channels = v.exactOptional(v.array(channel));
export const readyAnswer = v.strictObject({ status: v.literal('ready'), channels });
export const notReadyAnswer = v.strictObject({ status: v.literal('not-ready'), channels });
export const channelsAnswer = v.strictObject({ items: v.array(channel) });
export const channelRestartedAnswer = v.strictObject({ status: ok, channel: v.exactOptional(channel) });

const pairing = v.strictObject({
  channel: v.string(),
  account_id: v.string(),
  peer_id: v.string(),
  state: v.picklist(['pending', 'approved']),
  created_at: iso,
  name: v.exactOptional(v.string()),
  code: v.exactOptional(v.string()),
  expires_at: v.exactOptional(iso),
});
export const pairingsAnswer = v.strictObject({ items: v.array(pairing) });
export const pairingApprovedAnswer = v.strictObject({ status: ok, pairing });

export const logsAnswer = v.strictObject({
  logs: v.pipe(
    v.array(v.looseObject({ msg: v.string() })),
    v.description('Newest first. What is no record of ours, such as the words of a dying runtime, has only "msg".'),
  ),
  count,
  next: v.exactOptional(v.pipe(v.string(), v.description('What "before" of the next page is; absent at the end.'))),
  stopped: v.exactOptional(
    v.pipe(
      v.picklist(['time', 'size']),
      v.description('The page ended early: two seconds of reading, or 4 MiB of lines. Go on with "next".'),
    ),
  ),
});

export const documentAnswer = v.looseObject({ openapi: v.string(), paths: v.looseObject({}) });

export type ErrorBody = v.InferOutput<typeof errorAnswer>;
export type SessionView = v.InferOutput<typeof session>;
export type MessageView = v.InferOutput<typeof message>;
export type PendingView = v.InferOutput<typeof pending>;
export type FileView = v.InferOutput<typeof file>;
export type OutboxView = v.InferOutput<typeof outboxMessage>;
export type ChannelAnswer = v.InferOutput<typeof channel>;
export type AccountAnswer = v.InferOutput<typeof account>;
export type PairingView = v.InferOutput<typeof pairing>;

const problems = v.array(v.strictObject({ path: v.string(), message: v.string() }));
const change = v.strictObject({
  path: v.string(),
  effect: v.pipe(
    v.picklist(['live', 'restart', 'start']),
    v.description(
      'At once; when a new worker takes over, which happens by itself; after a stop and start of the gateway.',
    ),
  ),
});
const settings = v.pipe(v.looseObject({}), v.description('What the file says; credentials as {secret, set, source}.'));

export const configAnswer = v.strictObject({
  config: settings,
  revision: v.pipe(v.string(), v.description('For If-Match; also the ETag.')),
  locked: v.pipe(
    v.array(v.strictObject({ path: v.string(), by: v.string() })),
    v.description('What the environment or the command line decides.'),
  ),
  pending: v.pipe(v.array(change), v.description('What is written and not in effect yet.')),
  problems: v.pipe(problems, v.description('Why the file is not used as it is.')),
});
export const configChangedAnswer = v.strictObject({
  status: ok,
  revision: v.string(),
  changes: v.array(change),
  problems,
  config: settings,
});
export const configSchemaAnswer = v.pipe(v.looseObject({}), v.description('A JSON Schema.'));
export const configRevisionsAnswer = v.strictObject({
  items: v.array(v.strictObject({ id: count, revision: v.string(), replaced_at: iso })),
});
