import type { InboxRow } from '../store/inbox-row.ts';
import type { Store } from '../store/index.ts';
import type { Overheard } from '../store/overheard.ts';
import type { NewMessage } from '../store/sessions.ts';
import type { Files } from './files.ts';

/** A turn is begun at most this often: one that ends the worker again and again must not take the gateway with it (RESUME-1). */
export const MAX_ATTEMPTS = 2;

/** What is asked: the row, and the messages that the transcript gets for it; the question itself is the last one. */
export type Question = { row: InboxRow; messages: readonly NewMessage[]; heardUpTo?: number };

/** The question with a line for each file that came with it, and what was said to others before it. */
export async function gatherQuestion(
  { files, store }: { files: Files; store: Store },
  row: InboxRow,
  signal: AbortSignal,
): Promise<Question> {
  const { runId, payload, sessionKey, attempts } = row;
  const { text, messageId, peerKind } = payload;
  const isFetched = payload.files !== undefined && attempts <= MAX_ATTEMPTS;
  const lines = isFetched ? (await files.fetch(row, signal)).join('\n') : '';
  const sender = peerKind === 'group' ? (payload.senderName ?? payload.senderId) : undefined;
  const question: NewMessage = {
    role: 'user',
    kind: 'text',
    text,
    runId,
    ...(sender === undefined ? {} : { sender }),
    ...(messageId === undefined ? {} : { remoteId: messageId }),
    ...(lines === '' ? {} : { files: lines }),
  };
  const heard = peerKind === 'group' ? await store.inbox.overheard(sessionKey) : [];
  const heardUpTo = heard.at(-1)?.id;
  return {
    row,
    messages: [...heard.map(toMessage), question],
    ...(heardUpTo === undefined ? {} : { heardUpTo }),
  };
}

function toMessage({ text, sender, messageId }: Overheard): NewMessage {
  return {
    role: 'user',
    kind: 'text',
    text,
    ...(sender === undefined ? {} : { sender }),
    ...(messageId === undefined ? {} : { remoteId: messageId }),
  };
}
