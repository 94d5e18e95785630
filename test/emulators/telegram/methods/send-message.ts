import { badRequest } from '../api-error.ts';
import { checkText, readText } from '../read-text.ts';
import type { MethodContext } from './context.ts';
import { findReplied, findThread, findWritableChat } from './find-chat.ts';

/** `sendMessage`: the checks come in the order of the real server. */
export function sendMessage({ bot, params, clock, notes }: MethodContext): unknown {
  const content = readText(params);
  const replyMarkup = params.object('reply_markup');
  const chat = findWritableChat(bot, params);
  const thread = findThread(chat, params);
  const replyTo = findReplied(chat, params);
  const entities = checkText(content);
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
    },
    clock.now(),
  );
  notes.messageId = message.id;
  return chat.render(message);
}

/** `sendMessageDraft`: a preview that only the person sees and that leaves no message. */
export function sendMessageDraft({ bot, params, clock }: MethodContext): true {
  const chat = findWritableChat(bot, params);
  if (!chat.isPrivate) throw badRequest('method is available only in private chats');
  findThread(chat, params);
  const draftId = params.integer('draft_id', 0);
  if (draftId === 0) throw badRequest('draft_id must be non-zero');
  const content = params.text('text') === '' ? null : readText(params);
  if (content !== null) checkText(content);
  chat.drafts.push({ draftId, text: content?.text ?? '', at: clock.now() });
  return true;
}
