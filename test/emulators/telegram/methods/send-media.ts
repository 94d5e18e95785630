import { badRequest } from '../api-error.ts';
import { loadMedia } from '../load-media.ts';
import type { MediaKind } from '../media-kinds.ts';
import { findSource } from '../media-source.ts';
import { checkCaption, readCaption } from '../read-text.ts';
import type { MethodContext } from './context.ts';
import { findReplied, findThread, findWritableChat } from './find-chat.ts';

/** `sendPhoto`, `sendDocument` and the others: one file with a caption. */
export async function sendMedia(kind: MediaKind, { bot, params, clock, notes }: MethodContext): Promise<unknown> {
  const source = findSource(params, kind);
  if (source === null) throw badRequest(`there is no ${kind} in the request`);
  const content = readCaption(params);
  const replyMarkup = params.object('reply_markup');
  const loaded = await loadMedia({ bot, kind, source, params });
  const entities = checkCaption(content);
  const chat = findWritableChat(bot, params);
  const thread = findThread(chat, params);
  const replyTo = findReplied(chat, params);
  bot.flood.pass(chat);
  const message = chat.add(
    {
      from: bot.identity.user,
      isFromBot: true,
      thread,
      replyTo,
      text: content.text,
      entities,
      raw: content.raw,
      parseMode: content.parseMode,
      replyMarkup,
      media: loaded.store(),
    },
    clock.now(),
  );
  notes.messageId = message.id;
  return chat.render(message);
}
