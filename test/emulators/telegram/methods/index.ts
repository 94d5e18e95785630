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
import { deleteMessage, editMessageReplyMarkup, editMessageText, setMessageReaction } from './change-message.ts';
import type { Method } from './context.ts';
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
  editMessageReplyMarkup,
  editMessageText,
  getChat,
  getChatMember,
  getMe,
  getMyCommands,
  getUpdates,
  getWebhookInfo,
  sendChatAction,
  sendMessage,
  sendMessageDraft,
  setMessageReaction,
  setMyCommands,
  setWebhook,
};
const byLowerName = new Map(Object.entries(methods).map(([name, run]) => [name.toLowerCase(), { name, run }]));

/** Finds a method without regard to case. */
export function findMethod(name: string): NamedMethod | undefined {
  return byLowerName.get(name.toLowerCase());
}
