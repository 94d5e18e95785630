import { createHash, randomUUID } from 'node:crypto';
import type { WebhookMessage } from '../../lib/api-channels.ts';
import type { SignedWebhook } from '../../lib/config/webhook.ts';
import { GatewayError } from '../../lib/errors.ts';
import { isSignedBy, readSignature, type SignatureClaim } from '../../lib/webhook-signature.ts';
import type { HttpPush, InboundMessage } from '../channels/plugin.ts';
import type { Inbound } from '../messages/inbound.ts';
import { readEvent } from './read-event.ts';

export type WebhookRequest = {
  channel: string;
  accountId: string;
  request: HttpPush;
  /** How it must be signed; undefined when its caller presented the gateway's credential. */
  sender: SignedWebhook | undefined;
  /** Of a caller with the credential, who may say by it that this is the same request again. */
  idempotencyKey: string | undefined;
};

/** What the caller is answered; `isReplay` when all of it was taken in before. */
export type WebhookAnswer = { body: Record<string, unknown>; isReplay: boolean };

/** The longest body (HOOK-2). */
const MAX_BYTES = 256 * 1_024;

/**
 * Takes in what a program pushed to a channel: verifies it before it is parsed, as far as that can be before it is read, and
 * answers when it is committed (SPEC 7.5). Throws UNAUTHORIZED, INVALID_REQUEST, and CONFLICT for another event under a known id.
 */
export async function takeIn(inbound: Pick<Inbound, 'receive'>, given: WebhookRequest): Promise<WebhookAnswer> {
  const { channel, accountId, request, sender } = given;
  const claim = sender === undefined ? undefined : readSignature(sender.scheme, request.header);
  if (claim !== undefined && 'problem' in claim) throw refuse(claim.problem);
  const body = await request.rawBody(MAX_BYTES);
  if (sender !== undefined && claim !== undefined && !isSignedBy(claim, sender.secrets, body))
    throw refuse('The signature is not that of this body with a secret of ours.');
  const event = readEvent(body, sender);
  switch (event.kind) {
    case 'challenge':
      return once({ challenge: event.challenge });
    case 'other':
      return once({ status: 'ignored', reason: `the event "${event.name}" is none that is taken in` });
    case 'message':
      break;
  }
  const key = claim?.id ?? given.idempotencyKey ?? event.message.message_id ?? nameRequest(claim, body);
  const digest = sha256('', body);
  const message = toInbound(event.message, { accountId, key, digest });
  const [receipt] = await inbound.receive({ channel, accountId, messages: [message] });
  if (receipt === undefined) return once({ status: 'ignored', message_id: key, reason: NOT_LET_IN });
  if (receipt.isDuplicate && receipt.digest !== digest)
    throw new GatewayError('CONFLICT', `Another event came under the id "${key}" before.`);
  return { body: { status: 'ok', message_id: key }, isReplay: receipt.isDuplicate };
}

const NOT_LET_IN = 'the policy of this account does not let the sender in, or there is no such account';

function refuse(problem: string): GatewayError {
  return new GatewayError('UNAUTHORIZED', problem);
}

/** Only what is signed can tell a request from another: any other header can be changed by who replays it. */
function nameRequest(claim: SignatureClaim | undefined, body: Buffer): string {
  return claim === undefined ? randomUUID() : sha256(claim.prefix, body);
}

function once(body: Record<string, unknown>): WebhookAnswer {
  return { body, isReplay: false };
}

function sha256(prefix: string, body: Buffer): string {
  return createHash('sha256').update(prefix).update(body).digest('hex').slice(0, 32);
}

type Identity = { accountId: string; key: string; digest: string };

function toInbound(message: WebhookMessage, { accountId, key, digest }: Identity): InboundMessage {
  const { chat_id: chatId, thread_id: threadId, sender_name: senderName, message_id: messageId } = message;
  return {
    accountId,
    peer: { kind: message.chat_type, id: chatId, ...(threadId === undefined ? {} : { threadId }) },
    senderId: message.sender_id ?? chatId,
    ...(senderName === undefined ? {} : { senderName }),
    text: message.content,
    isAddressed: true,
    dedupeKey: `hook:${key}`,
    digest,
    ...(messageId === undefined ? {} : { messageId }),
    sentAt: Date.now(),
  };
}
