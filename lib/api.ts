import * as v from 'valibot';
import { MEDIA_TYPES } from './file-kind.ts';

/** Request schemas and wire types of the HTTP API, shared by the routes and by clients of the types. */

const text = (name: string, maximum: number) =>
  v.pipe(
    v.string(`${name} must be a string`),
    v.check((value) => value.trim() !== '', `${name} must not be empty`),
    v.maxLength(maximum, `${name} must have at most ${maximum} characters`),
  );

const id = (name: string) => text(name, 256);

/** Longest message text that the API takes; the body limit is above it. */
const MAX_TEXT = 200_000;

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
  idempotency_key: v.optional(id('idempotency_key')),
  media_url: v.optional(mediaUrl),
  media_type: v.optional(v.picklist(MEDIA_TYPES, `media_type must be one of ${MEDIA_TYPES.join(', ')}`)),
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
  deliver: v.optional(v.boolean('deliver must be true or false'), false),
  idempotency_key: v.optional(id('idempotency_key')),
});

export const agentRequest = v.object({
  message: text('message', MAX_TEXT),
  session: v.optional(id('session'), 'default'),
  agent_id: v.optional(id('agent_id')),
  model: v.optional(id('model')),
  stream: v.optional(v.boolean('stream must be true or false'), false),
  idempotency_key: v.optional(id('idempotency_key')),
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

/** What a program of one's own pushes to a webhook; `data` depends on the event. */
export const webhookEvent = v.object({ event: id('event'), data: v.optional(v.unknown()) });

const numericId = (name: string) =>
  v.union([id(name), v.pipe(v.number(), v.safeInteger(`${name} must be a whole number`), v.transform(String))]);

/** `data` of the event "message". */
export const webhookMessage = v.object({
  chat_id: numericId('chat_id'),
  content: text('content', MAX_TEXT),
  sender_id: v.optional(numericId('sender_id')),
  sender_name: v.optional(id('sender_name')),
  message_id: v.optional(numericId('message_id')),
  thread_id: v.optional(numericId('thread_id')),
  chat_type: v.optional(v.picklist(['direct', 'group'], 'chat_type must be direct or group'), 'direct'),
});

export type WebhookMessage = v.InferOutput<typeof webhookMessage>;

export const loginStartRequest = v.object({ account_id: v.optional(id('account_id'), 'default') });

/** The digits that a phone shows to who logs a channel in. */
export const loginCodeRequest = v.object({
  code: v.pipe(v.string('code must be a string'), v.regex(/^\d{1,12}$/, 'code must be digits')),
});

export const pairingApproveRequest = v.object({ code: id('code') });

/** A whole number in a query string. */
const queryInteger = (name: string, minimum: number, maximum: number) =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, `${name} must be a whole number`),
    v.transform(Number),
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
  before: v.optional(queryInteger('before', 1, Number.MAX_SAFE_INTEGER)),
});

export const eventsQuery = v.object({
  types: v.optional(
    v.pipe(
      v.string(),
      v.transform((value) => value.split(',').map((type) => type.trim())),
    ),
  ),
  session: v.optional(v.string()),
});

/** The body of every error answer. */
export type ErrorBody = {
  error: { code: string; message: string; details?: readonly { path: string; message: string }[]; requestId?: string };
};
