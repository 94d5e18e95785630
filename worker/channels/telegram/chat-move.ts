import type { Update } from 'grammy/types';
import type { InboundMessage } from '../plugin.ts';

/**
 * What tells that a group became a supergroup, which has an id of its own; undefined for anything else. It is told once in the
 * old chat and once in the new one, in whatever order.
 */
export function readChatMove(accountId: string, { update_id: updateId, message }: Update): InboundMessage | undefined {
  const from = message?.migrate_to_chat_id === undefined ? message?.migrate_from_chat_id : message.chat.id;
  if (message === undefined || from === undefined) return undefined;
  const to = message.migrate_to_chat_id ?? message.chat.id;
  return {
    accountId,
    peer: { kind: 'group', id: String(to) },
    movedFrom: String(from),
    senderId: String(from),
    text: '',
    isAddressed: false,
    dedupeKey: `update:${updateId}`,
    sentAt: message.date * 1_000,
  };
}
