import type { TurnEnd } from './cron-row.ts';
import { endJobTurn, isJobTurnWanted } from './cron-runs.ts';
import type { Database, Tx } from './database.ts';
import type { InboxRow } from './inbox-row.ts';
import { insertOutboxRows, type NewOutboxRow, type OutboxRow } from './outbox-row.ts';
import { forgetOverheard } from './overheard.ts';
import { appendMessages, keepContext, type NewMessage } from './sessions.ts';

/** Another worker took the message over: its turn counts, this one must not. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}

export type FinishedTurn = {
  row: InboxRow;
  owner: string;
  messages: readonly NewMessage[];
  outbox: readonly NewOutboxRow[];
  /** The newest of what was overheard that is among the messages. */
  heardUpTo?: number;
  /** How it ended for the job that asked for it. */
  job?: { end: TurnEnd; text: string };
};

export type Turns = ReturnType<typeof createTurns>;

/** The end of an agent turn. */
export function createTurns(database: Database) {
  return {
    /**
     * Commits what a turn produced in one transaction: transcript, replies on their way out, and the inbox row gone. So a
     * finished answer can neither be lost nor be worked out twice. Throws ClaimLost when the row is not the owner's any more.
     */
    finish: ({ row, owner, messages, outbox, heardUpTo, job }: FinishedTurn): Promise<OutboxRow[]> =>
      database.write((tx) => {
        const ended = tx.get<{ reworded: string | null }>(
          "DELETE FROM inbox WHERE id=? AND run_id=? AND claimed_by=? RETURNING json_extract(payload, '$.reworded') AS reworded",
          row.id,
          row.runId,
          owner,
        );
        if (ended === undefined) throw new ClaimLost(`Run ${row.runId} was taken over`);
        const said = ended.reworded === null ? messages : rewordQuestion(messages, row, ended.reworded);
        if (said.length > 0) appendMessages(tx, row.sessionKey, said);
        if (heardUpTo !== undefined) forgetOverheard(tx, row.sessionKey, heardUpTo);
        keepContext(tx, row.sessionKey, row.receivedAt);
        return job === undefined ? insertOutboxRows(tx, outbox) : sendForJob(tx, row.runId, { ...job, outbox });
      }),

    /** Sets a message aside until its person asks for it, with what is told about it (RESUME-1). Throws ClaimLost as above. */
    park: ({ row, owner, messages, outbox }: FinishedTurn): Promise<OutboxRow[]> =>
      database.write((tx) => {
        const { changes } = tx.run(
          "UPDATE inbox SET state='parked', claimed_by=NULL WHERE id=? AND run_id=? AND claimed_by=?",
          row.id,
          row.runId,
          owner,
        );
        if (changes === 0) throw new ClaimLost(`Run ${row.runId} was taken over`);
        appendMessages(tx, row.sessionKey, messages);
        return insertOutboxRows(tx, outbox);
      }),
  };
}

/** The rows on their way out, known to the run of the job; none when the job was removed meanwhile. */
function sendForJob(
  tx: Tx,
  runId: string,
  { end, text, outbox }: { end: TurnEnd; text: string; outbox: readonly NewOutboxRow[] },
): OutboxRow[] {
  if (!isJobTurnWanted(tx, runId)) return [];
  const rows = insertOutboxRows(tx, outbox);
  endJobTurn(tx, runId, { end, text, outbox: rows });
  return rows;
}

/** The question as its person changed it while it was being answered. */
function rewordQuestion(messages: readonly NewMessage[], { runId }: InboxRow, text: string): NewMessage[] {
  return messages.map((message) =>
    message.role === 'user' && message.runId === runId ? { ...message, text } : message,
  );
}
