import * as v from 'valibot';
import { id, MAX_TEXT, segment, text } from './api-fields.ts';
import { MEDIA_TYPES } from './file-kind.ts';
import { LOG_LEVELS } from './log-level.ts';

/** Request schemas and wire types of the HTTP API, shared by the routes and by clients of the types. */

/** A key under which a request may be sent again without being carried out again. */
const idempotencyKey = () =>
  v.optional(
    v.pipe(
      id('idempotency_key'),
      v.description('The same key with the same body gets the same answer. The header Idempotency-Key says it, too.'),
    ),
  );

/** Longest address of a file; a data: URL is bounded by the body limit alone. */
const MAX_URL = 8_192;

const mediaUrl = v.pipe(
  v.string('media_url must be a string'),
  v.regex(/^(https?:\/\/|data:)/i, 'media_url must be an http:, https: or data: URL'),
  v.check(
    (value) => value.length <= MAX_URL || /^data:/i.test(value),
    `media_url must have at most ${MAX_URL} characters`,
  ),
);

const messageFields = v.object({
  channel: id('channel'),
  chat_id: id('chat_id'),
  content: v.optional(
    v.pipe(
      v.string('content must be a string'),
      v.maxLength(MAX_TEXT, `content must have at most ${MAX_TEXT} characters`),
    ),
    '',
  ),
  account_id: v.optional(id('account_id'), 'default'),
  thread_id: v.optional(id('thread_id')),
  reply_to: v.optional(id('reply_to')),
  silent: v.optional(v.boolean('silent must be true or false')),
  media_url: v.optional(mediaUrl),
  media_type: v.optional(v.picklist(MEDIA_TYPES, `media_type must be one of ${MEDIA_TYPES.join(', ')}`)),
  idempotency_key: idempotencyKey(),
});

/** A text, or a file that goes with or without one. */
export const messageRequest = v.pipe(
  messageFields,
  v.forward(
    v.partialCheck(
      [['content'], ['media_url']],
      ({ content, media_url: url }) => url !== undefined || content.trim() !== '',
      'content must not be empty, unless there is a media_url',
    ),
    ['content'],
  ),
  v.forward(
    v.partialCheck(
      [['media_url'], ['media_type']],
      ({ media_url: url, media_type: type }) => url !== undefined || type === undefined,
      'media_type says how to show the file at media_url, which is missing',
    ),
    ['media_type'],
  ),
);

export const messageSyncRequest = v.object({
  channel: id('channel'),
  chat_id: id('chat_id'),
  content: text('content', MAX_TEXT),
  account_id: v.optional(id('account_id'), 'default'),
  deliver: v.optional(
    v.pipe(v.boolean('deliver must be true or false'), v.description('Sends the answer into the chat, too.')),
    false,
  ),
  idempotency_key: idempotencyKey(),
});

export const agentRequest = v.object({
  message: text('message', MAX_TEXT),
  session: v.optional(
    v.pipe(id('session'), v.description('A full session key, or the name of a web chat.')),
    'default',
  ),
  agent_id: v.optional(id('agent_id')),
  model: v.optional(v.pipe(id('model'), v.description('provider/model instead of the one of the agent.'))),
  stream: v.optional(
    v.pipe(
      v.boolean('stream must be true or false'),
      v.description('Answers as server-sent events, as Accept: text/event-stream does.'),
    ),
    false,
  ),
  idempotency_key: idempotencyKey(),
});

export const agentAbortRequest = v.pipe(
  v.object({ run_id: v.optional(id('run_id')), session: v.optional(id('session')) }),
  v.check((value) => (value.run_id === undefined) !== (value.session === undefined), 'give either run_id or session'),
);

export const sessionRequest = v.object({
  channel: v.optional(
    v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_-]{0,31}$/, 'channel must be lower-case letters, digits, "-" and "_"')),
    'webchat',
  ),
  chat_id: v.optional(id('chat_id')),
  agentId: v.optional(id('agentId')),
});

export const pairingApproveRequest = v.object({ code: id('code') });

/** A whole number in a query string. */
export const queryInteger = (name: string, minimum: number, maximum: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, `${name} must be a whole number`),
    v.transform(Number),
    v.number(),
    v.integer(),
    v.minValue(minimum, `${name} must be at least ${minimum}`),
    v.maxValue(maximum, `${name} must be at most ${maximum}`),
  );

export const sessionListQuery = v.object({
  limit: v.optional(queryInteger('limit', 1, 200), '50'),
  offset: v.optional(queryInteger('offset', 0, 1_000_000_000), '0'),
  channel: v.optional(v.string()),
  agent: v.optional(v.string()),
  search: v.optional(v.string()),
  status: v.optional(v.picklist(['active', 'archived'], 'status must be active or archived')),
  sort: v.optional(v.picklist(['updated', 'created'], 'sort must be updated or created'), 'updated'),
});

export const outboxQuery = v.object({
  state: v.optional(v.picklist(['pending', 'dead', 'all'], 'state must be pending, dead or all'), 'all'),
  channel: v.optional(id('channel')),
  chat_id: v.optional(id('chat_id')),
  limit: v.optional(queryInteger('limit', 1, 200), '50'),
  before: v.optional(id('before')),
});

export const sessionQuery = v.object({
  limit: v.optional(queryInteger('limit', 1, 200), '50'),
  before: v.optional(
    v.pipe(
      queryInteger('before', 1, Number.MAX_SAFE_INTEGER),
      v.description('Messages older than the one with this id.'),
    ),
  ),
});

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** A moment in a query string. */
const queryTime = (name: string) =>
  v.pipe(
    v.string(),
    v.regex(TIME, `${name} must be a time such as 2026-01-31T12:00:00Z`),
    v.check((value) => !TIME.test(value) || !Number.isNaN(Date.parse(value)), `${name} is no time of the calendar`),
  );

export const logsQuery = v.object({
  level: v.optional(
    v.pipe(
      v.picklist(LOG_LEVELS, `level must be one of ${LOG_LEVELS.join(', ')}`),
      v.description('This level and worse.'),
    ),
  ),
  from: v.optional(queryTime('from')),
  to: v.optional(queryTime('to')),
  q: v.optional(v.pipe(id('q'), v.description('Text that occurs in the line, in any case.'))),
  module: v.optional(v.pipe(id('module'), v.description('Channel id, or the process: worker, supervisor.'))),
  request_id: v.optional(id('request_id')),
  session: v.optional(text('session', 4_096)),
  limit: v.optional(queryInteger('limit', 1, 1_000), '100'),
  before: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[0-9a-f]{16}\.\d{1,15}$/, 'before must be what "next" of the last page says'),
      v.description('What "next" of the last page says: lines older than that page.'),
    ),
  ),
});

export const docsQuery = v.object({
  lang: v.optional(
    v.pipe(v.picklist(['en', 'zh'], 'lang must be en or zh'), v.description('Else what the browser prefers.')),
  ),
});

export const idPath = v.object({ id: segment() });
export const keyPath = v.object({ key: v.pipe(segment(), v.description('The session key, percent-encoded.')) });
export const channelPath = v.object({ channel: segment() });
export const accountPath = v.object({ channel: segment(), account: segment() });
export const pairingPath = v.object({ channel: segment(), account: segment(), peer: segment() });

export const eventsQuery = v.object({
  types: v.optional(
    v.pipe(
      v.string(),
      v.transform((value) => value.split(',').map((type) => type.trim())),
      v.array(v.string()),
      v.description('Only events of these types; separated by commas.'),
    ),
  ),
  session: v.optional(v.string()),
});

/** Paths and values of the configuration to change (RFC 7396). */
export const configPatchRequest = v.looseObject({});

export const configChangeQuery = v.object({ confirm_loss: v.optional(v.picklist(['true', 'false']), 'false') });
