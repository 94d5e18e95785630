import { createHash } from 'node:crypto';
import { type WebhookMessage, webhookEvent, webhookMessage } from '../../lib/api-channels.ts';
import type { SignedWebhook } from '../../lib/config/webhook.ts';
import { GatewayError } from '../../lib/errors.ts';
import { assertPlain } from '../middleware/body.ts';
import { parse } from '../routes/route.ts';
import { fillTemplate } from './fill-template.ts';

/** What a request says: a message, the proof of an address that Slack asks for, or something that is no concern of ours. */
export type WebhookEvent =
  | { kind: 'message'; message: WebhookMessage }
  | { kind: 'challenge'; challenge: string }
  | { kind: 'other'; name: string };

/** Reads the body of a request that is verified. Throws INVALID_REQUEST. */
export function readEvent(body: Buffer, sender: SignedWebhook | undefined): WebhookEvent {
  const value = parseJson(body);
  assertPlain(value);
  const challenge = sender?.scheme === 'slack' ? readChallenge(value) : undefined;
  if (challenge !== undefined) return { kind: 'challenge', challenge };
  if (sender?.message !== undefined) return { kind: 'message', message: mapMessage(sender.message, value) };
  const { event, data } = parse(webhookEvent, value);
  if (event !== 'message') return { kind: 'other', name: event };
  return { kind: 'message', message: parse(webhookMessage, data ?? {}) };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new GatewayError('INVALID_REQUEST', 'The body is not valid JSON in UTF-8.', { cause });
  }
}

function readChallenge(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'url_verification')
    return undefined;
  return 'challenge' in value && typeof value.challenge === 'string' ? value.challenge.slice(0, 256) : undefined;
}

/** An event without an id of its own is told from others by what it says. */
function mapMessage(templates: NonNullable<SignedWebhook['message']>, value: unknown): WebhookMessage {
  const fill = (template: string | undefined): string | undefined => {
    const text = template === undefined ? '' : fillTemplate(template, value).trim();
    return text === '' ? undefined : text;
  };
  const chatId = fill(templates.chatId);
  return parse(webhookMessage, {
    chat_id: shorten(chatId),
    sender_id: shorten(fill(templates.senderId) ?? chatId),
    sender_name: fill(templates.senderName)?.slice(0, MAX_ID),
    content: fill(templates.content),
    message_id: shorten(fill(templates.messageId)),
  });
}

const MAX_ID = 256;

/** Ids that are too long stay apart. */
function shorten(id: string | undefined): string | undefined {
  if (id === undefined || id.length <= MAX_ID) return id;
  return createHash('sha256').update(id).digest('hex');
}
