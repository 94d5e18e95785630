import * as v from 'valibot';
import { id, MAX_TEXT, segment, text } from './api-fields.ts';

/** Request schemas of what is pushed to channels, and of their logins. */

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

export const loginPath = v.object({
  id: segment(),
  sessionKey: v.pipe(segment(), v.description('What the start of the login says as "session_key".')),
});
