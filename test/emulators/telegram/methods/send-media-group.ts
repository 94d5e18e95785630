import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { ApiError, badRequest } from '../api-error.ts';
import { type LoadedMedia, loadMedia } from '../load-media.ts';
import type { MediaKind } from '../media-kinds.ts';
import { type MediaSource, toSource } from '../media-source.ts';
import { Params } from '../params.ts';
import { type BotText, checkCaption, readCaption } from '../read-text.ts';
import type { WireEntity } from '../wire.ts';
import type { MethodContext } from './context.ts';
import { findReplied, findThread, findWritableChat } from './find-chat.ts';

interface AlbumItem {
  readonly kind: MediaKind;
  readonly source: MediaSource;
  readonly params: Params;
  readonly content: BotText;
}
interface ReadyItem extends LoadedMedia {
  readonly content: BotText;
  readonly entities: WireEntity[];
}

const maxItems = 10;
const albumKinds: readonly MediaKind[] = ['photo', 'video', 'document', 'audio'];

/** `sendMediaGroup`: all messages or none; one item alone becomes a message outside any album, as on the real server. */
export async function sendMediaGroup({ bot, params, clock, notes }: MethodContext): Promise<unknown> {
  const items = readItems(params);
  const ready = await loadItems(bot, items);
  const chat = findWritableChat(bot, params);
  const thread = findThread(chat, params);
  const replyTo = findReplied(chat, params);
  checkMixture(items.map(({ kind }) => kind));
  bot.flood.pass(chat);
  const mediaGroupId = ready.length === 1 ? null : bot.media.nextGroupId();
  const messages = ready.map(({ content, entities, store }) =>
    chat.add(
      {
        from: bot.identity.user,
        isFromBot: true,
        thread,
        replyTo,
        text: content.text,
        entities,
        raw: content.raw,
        parseMode: content.parseMode,
        media: store(),
        mediaGroupId,
      },
      clock.now(),
    ),
  );
  notes.messageIds = messages.map(({ id }) => id);
  notes.messageId = notes.messageIds[0] ?? 0;
  return messages.map((message) => chat.render(message));
}

function readItems(params: Params): AlbumItem[] {
  const media = params.json('media');
  if (media === undefined) throw badRequest('parameter "media" is required');
  if (!Array.isArray(media)) throw badRequest('expected an Array of InputMedia');
  if (media.length === 0) throw badRequest('there are no messages to send');
  if (media.length > maxItems) throw badRequest('too many messages to send as an album');
  return media.map((item: unknown) => readItem(item, params));
}

function readItem(item: unknown, call: Params): AlbumItem {
  if (!isJsonObject(item)) throw cannotRead('expected an Object');
  const params = new Params(item);
  const kind = readKind(item);
  const source = toSource(call, params.text('media').trim());
  if (source === null) throw cannotRead('media not found');
  return { kind, source, params, content: readCaption(params) };
}

function readKind(item: JsonObject): MediaKind {
  const type = String(item['type'] ?? '');
  const kind = albumKinds.find((known) => known === type);
  if (kind !== undefined) return kind;
  throw cannotRead(
    type === 'animation' ? 'type "animation" can\'t be used in sendMediaGroup' : `type "${type}" is unsupported`,
  );
}

async function loadItems(bot: MethodContext['bot'], items: readonly AlbumItem[]): Promise<ReadyItem[]> {
  const ready: ReadyItem[] = [];
  // One after the other: the first item with a fault decides the answer.
  for (const [index, { kind, source, params, content }] of items.entries()) {
    const loaded = await loadMedia({ bot, kind, source, params }).catch((error: unknown) => {
      throw namePosition(error, source, index);
    });
    ready.push({ ...loaded, content, entities: checkCaption(content) });
  }
  return ready;
}

// What goes wrong while the platform fetches an address is told with the place of the item.
function namePosition(error: unknown, source: MediaSource, index: number): unknown {
  if (!(error instanceof ApiError) || source.type !== 'url') return error;
  return badRequest(`failed to send message #${index + 1} with the error message "WEBPAGE_CURL_FAILED"`);
}

function checkMixture(kinds: readonly MediaKind[]): void {
  const loner = kinds.find((kind) => kind === 'document' || kind === 'audio');
  if (loner === undefined || kinds.every((kind) => kind === loner)) return;
  throw badRequest(`${loner} can't be mixed with other media types`);
}

function cannotRead(reason: string): ApiError {
  return badRequest(`can't parse InputMedia: ${reason}`);
}
