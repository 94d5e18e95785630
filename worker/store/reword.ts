import type { Tx } from './database.ts';
import type { NewInboxRow } from './inbox-row.ts';
import { rewordMessage } from './sessions.ts';

/**
 * Puts the new wording of a message where the old one is (channels 2.6): one that waits is answered as it reads now; one that
 * is being answered, or was, reads so in the transcript. Nothing happens when it is not known.
 */
export function reword(tx: Tx, { sessionKey, payload }: NewInboxRow): void {
  const { messageId, text } = payload;
  if (messageId === undefined) return;
  tx.run(
    "UPDATE inbox SET payload=json_set(payload, iif(state='claimed', '$.reworded', '$.text'), ?) WHERE session_key=? AND json_valid(payload) AND json_extract(payload, '$.messageId')=?",
    text,
    sessionKey,
    messageId,
  );
  tx.run('UPDATE overheard SET text=? WHERE session_key=? AND message_id=?', text, sessionKey, messageId);
  rewordMessage(tx, sessionKey, { remoteId: messageId, text });
}
