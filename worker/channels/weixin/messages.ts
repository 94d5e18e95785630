import { createHash } from 'node:crypto';
import type { InboundMessage } from '../plugin.ts';

/** What the platform sends, as far as it is read; nothing of it is sure to be there. */
type Item = Readonly<Record<string, unknown>>;

/** Ten messages for each of the person's (channels 4.4). */
const SENDS = 10;

/** An hour less than what the platform allows. */
const WINDOW_MS = 23 * 3_600_000;

/** A message in our terms; undefined when it is none of a person in private. */
export function normaliseMessage(accountId: string, value: unknown): InboundMessage | undefined {
  if (!isItem(value) || Number(value['message_type']) === OF_A_BOT || readText(value['group_id']) !== undefined)
    return undefined;
  const from = readText(value['from_user_id']);
  const items = Array.isArray(value['item_list']) ? value['item_list'].filter(isItem) : [];
  const text = items
    .map(describeItem)
    .filter((part) => part !== '')
    .join('\n');
  if (from === undefined || text === '') return undefined;
  const token = readText(value['context_token']);
  const messageId = readText(value['message_id']);
  const sentAt = Number(value['create_time_ms']);
  return {
    accountId,
    peer: { kind: 'direct', id: from },
    senderId: from,
    text,
    isAddressed: true,
    dedupeKey: nameMessage(value, items),
    ...(token === undefined ? {} : { window: { token, sends: SENDS, ttlMs: WINDOW_MS } }),
    ...(messageId === undefined ? {} : { messageId }),
    sentAt: Number.isFinite(sentAt) && sentAt > 0 ? sentAt : Date.now(),
  };
}

/** Whether the platform gave a message nothing by which it could be told when it comes again with another time. */
export function isNameless({ dedupeKey }: InboundMessage): boolean {
  return dedupeKey.startsWith('hash:');
}

const OF_A_BOT = 2;

function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null;
}

/** Ids beyond what a number can hold come as text. */
function readText(value: unknown): string | undefined {
  if (typeof value === 'number') return value === 0 ? undefined : String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Never by the context token: a message that comes again may have another one (channels 4.5). */
function nameMessage(message: Item, items: readonly Item[]): string {
  const id = readText(message['message_id']);
  if (id !== undefined) return `id:${id}`;
  const itemId = items.map((item) => readText(item['msg_id'])).find((one) => one !== undefined);
  if (itemId !== undefined) return `item:${itemId}`;
  const clientId = readText(message['client_id']);
  if (clientId !== undefined) return `client:${clientId}`;
  const said = [message['from_user_id'], message['create_time_ms'], message['seq'], items.map(describeItem)];
  return `hash:${createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 32)}`;
}

function describeItem(item: Item): string {
  const content = readContent(item);
  const quoted = readQuote(item['ref_msg']);
  return quoted === undefined || content === '' ? content : `> ${quoted.replaceAll('\n', '\n> ')}\n\n${content}`;
}

function readContent(item: Item): string {
  switch (Number(item['type'])) {
    case 1:
      return readField(item['text_item'], 'text') ?? '';
    case 2:
      return '[image]';
    case 3:
      return readField(item['voice_item'], 'text') ?? '[voice]';
    case 4:
      return `[file ${readField(item['file_item'], 'file_name') ?? ''}]`.replace(' ]', ']');
    case 5:
      return '[video]';
    default:
      return '';
  }
}

function readQuote(reference: unknown): string | undefined {
  if (!isItem(reference)) return undefined;
  const whole = isItem(reference['message_item']) ? readContent(reference['message_item']) : '';
  return whole === '' ? (readText(reference['partial_text']) ?? readText(reference['title'])) : whole;
}

function readField(value: unknown, name: string): string | undefined {
  return isItem(value) ? readText(value[name]) : undefined;
}
