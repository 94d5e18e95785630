import {
  answerCallbackQuery,
  deleteMyCommands,
  getChat,
  getChatMember,
  getMe,
  getMyCommands,
  sendChatAction,
  setMyCommands,
} from './account.ts';
import {
  deleteMessage,
  editMessageCaption,
  editMessageReplyMarkup,
  editMessageText,
  setMessageReaction,
} from './change-message.ts';
import type { Method } from './context.ts';
import { getFile } from './get-file.ts';
import { sendMedia } from './send-media.ts';
import { sendMediaGroup } from './send-media-group.ts';
import { sendMessage, sendMessageDraft } from './send-message.ts';
import { deleteWebhook, getUpdates, getWebhookInfo, setWebhook } from './updates.ts';

/** A method and its usual spelling. */
export interface NamedMethod {
  readonly name: string;
  readonly run: Method;
}

const methods: Readonly<Record<string, Method>> = {
  answerCallbackQuery,
  deleteMessage,
  deleteMyCommands,
  deleteWebhook,
  editMessageCaption,
  editMessageReplyMarkup,
  editMessageText,
  getChat,
  getChatMember,
  getFile,
  getMe,
  getMyCommands,
  getUpdates,
  getWebhookInfo,
  sendAnimation: (context) => sendMedia('animation', context),
  sendAudio: (context) => sendMedia('audio', context),
  sendChatAction,
  sendDocument: (context) => sendMedia('document', context),
  sendMediaGroup,
  sendMessage,
  sendMessageDraft,
  sendPhoto: (context) => sendMedia('photo', context),
  sendVideo: (context) => sendMedia('video', context),
  sendVoice: (context) => sendMedia('voice', context),
  setMessageReaction,
  setMyCommands,
  setWebhook,
};
const byLowerName = new Map(Object.entries(methods).map(([name, run]) => [name.toLowerCase(), { name, run }]));

/** Finds a method without regard to case. */
export function findMethod(name: string): NamedMethod | undefined {
  return byLowerName.get(name.toLowerCase());
}
