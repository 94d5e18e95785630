import type { WeixinClient } from './client.ts';

const CALL_MS = 10_000;

/** A ticket is good for a day. */
const TICKET_MS = 23 * 3_600_000;

/** More chats than that are hardly written to at a time. */
const MAX_TICKETS = 1_000;

/** Makes what shows "typing" to a person for some seconds. */
export function createTyping(): (client: WeixinClient, chatId: string, signal: AbortSignal) => Promise<void> {
  const tickets = new Map<string, { ticket: string; until: number }>();
  return async (client, chatId, signal) => {
    const options = { timeoutMs: CALL_MS, signal };
    const known = tickets.get(chatId);
    let ticket = known !== undefined && known.until > Date.now() ? known.ticket : undefined;
    if (ticket === undefined) {
      const answer = await client.post('getconfig', { ilink_user_id: chatId }, options);
      if (typeof answer['typing_ticket'] !== 'string') return;
      ticket = answer['typing_ticket'];
      if (tickets.size >= MAX_TICKETS) tickets.clear();
      tickets.set(chatId, { ticket, until: Date.now() + TICKET_MS });
    }
    try {
      await client.post('sendtyping', { ilink_user_id: chatId, typing_ticket: ticket, status: 1 }, options);
    } catch (error) {
      tickets.delete(chatId);
      throw error;
    }
  };
}
