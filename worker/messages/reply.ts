import type { InboxPayload } from '../store/inbox-row.ts';
import type { NewOutboxRow } from '../store/outbox-row.ts';
import type { DraftEnd } from './draft.ts';
import type { Outbound } from './outbound.ts';

export type Asked = { payload: InboxPayload; sessionKey: string; runId: string };

/** The rows that take an answer to where the message came from; none when only its caller waits for it. */
export function composeReply(
  outbound: Outbound,
  { payload, sessionKey, runId }: Asked,
  text: string,
  draft: DraftEnd = { isDoubtful: false },
): NewOutboxRow[] {
  if (!payload.deliver || text === '') return [];
  const { channel, accountId, chatId, threadId, messageId, peerKind } = payload;
  const target = { channel, accountId, chatId, ...(threadId === undefined ? {} : { threadId }) };
  const answers = messageId === undefined ? undefined : { messageId, peerKind };
  const [first, ...others] = outbound.compose({
    target,
    text,
    sessionKey,
    runId,
    ...(answers === undefined ? {} : { answers }),
  });
  return first === undefined ? [] : [takePlaceOf(draft, first), ...others];
}

/** The first part takes the place of what was shown while it grew. */
function takePlaceOf({ replaces, isDoubtful }: DraftEnd, row: NewOutboxRow): NewOutboxRow {
  return {
    ...row,
    ...(replaces === undefined ? {} : { replaces }),
    ...(isDoubtful ? { ambiguous: 1 } : {}),
  };
}
