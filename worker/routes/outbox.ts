import { deletedAnswer, type OutboxView, outboxAnswer, outboxMessageAnswer, queuedAnswer } from '../../lib/answers.ts';
import { idPath, outboxQuery } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import { describeFile, stateOf } from '../messages/deliver.ts';
import type { Outbound } from '../messages/outbound.ts';
import type { Reachability } from '../messages/reachability.ts';
import type { Store } from '../store/index.ts';
import type { OutboxRow } from '../store/outbox-row.ts';
import { defineRoute, type Route } from './route.ts';

export type OutboxOptions = {
  store: Store;
  outbound: Outbound;
  reachability: Reachability;
  /** How long a message that is tried again is of use, in milliseconds. */
  retryTtlMs: number;
};

/** Messages on their way out: what waits, what was given up, and what the operator does about it (OUT-4). */
export function outboxRoutes({ store, outbound, reachability, retryTtlMs }: OutboxOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/outbox',
      scope: 'operator.read',
      tag: 'Outbox',
      summary: 'Lists messages on their way out, newest first',
      query: outboxQuery,
      answers: { 200: outboxAnswer },
      async handle({ query }) {
        const { state: filter, chat_id: chatId, channel, limit, before } = query;
        const { rows, next } = await store.outbox.list({ filter, chatId, channel, limit, before });
        const stats = await store.outbox.stats();
        return {
          items: rows.map(describeMessage),
          pending: stats.pending,
          dead: stats.dead,
          ...(stats.oldestAt === undefined ? {} : { oldest_at: new Date(stats.oldestAt).toISOString() }),
          ...(next === undefined ? {} : { next }),
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/outbox/:id',
      scope: 'operator.read',
      tag: 'Outbox',
      summary: 'Shows a message',
      params: idPath,
      answers: { 200: outboxMessageAnswer },
      errors: ['NOT_FOUND'],
      handle: async ({ params }) => ({
        status: 'ok' as const,
        message: describeMessage(await requireRow(store, params.id)),
      }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/outbox/:id/retry',
      scope: 'operator.write',
      tag: 'Outbox',
      summary: 'Sends what was given up again, under another id',
      params: idPath,
      answers: { 200: queuedAnswer },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params }) {
        const row = await requireRow(store, params.id);
        const copy = await store.outbox.retry(row.id, Date.now() + retryTtlMs);
        if (copy === 'missing') throw noMessage(row.id);
        if (copy === 'not-dead')
          throw new GatewayError(
            'CONFLICT',
            `${row.id} is ${describeState(row)}: only what was given up can be retried.`,
          );
        await reachability.markBack(copy);
        outbound.accept([copy]);
        return { status: 'ok' as const, message_id: copy.id };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/outbox/:id',
      scope: 'operator.write',
      tag: 'Outbox',
      summary: 'Drops a message',
      params: idPath,
      answers: { 200: deletedAnswer },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params }) {
        const row = await requireRow(store, params.id);
        const dropped = await store.outbox.drop(row.id);
        if (dropped === 'missing') throw noMessage(row.id);
        if (dropped === 'under-way')
          throw new GatewayError('CONFLICT', `${row.id} is ${describeState(row)}: it cannot be called back.`);
        return { status: 'ok' as const, deleted: true as const };
      },
    }),
  ];
}

/** A row of the outbox in the terms of the API. */
export function describeMessage(row: OutboxRow): OutboxView {
  return {
    id: row.id,
    channel: row.channel,
    account_id: row.accountId,
    chat_id: row.chatId,
    content: row.text,
    state: stateOf(row),
    attempts: row.attempts,
    part: row.part,
    parts: row.parts,
    created_at: new Date(row.createdAt).toISOString(),
    updated_at: new Date(row.updatedAt).toISOString(),
    expires_at: new Date(row.expiresAt).toISOString(),
    ...(row.state === 'queued' ? { next_at: new Date(row.nextAt).toISOString() } : {}),
    ...(row.file === undefined ? {} : { file: describeFile(row.file) }),
    ...(row.threadId === undefined ? {} : { thread_id: row.threadId }),
    ...(row.runId === undefined ? {} : { run_id: row.runId }),
    ...(row.remoteId === undefined ? {} : { remote_id: row.remoteId }),
    ...(row.lastError === undefined ? {} : { last_error: row.lastError }),
    ...(row.closedAs === undefined ? {} : { closed_as: row.closedAs }),
  };
}

/** The row with this id. Throws NOT_FOUND when there is none. */
export async function requireRow(store: Store, id: string): Promise<OutboxRow> {
  const row = await store.outbox.get(id);
  if (row === undefined) throw noMessage(id);
  return row;
}

function noMessage(id: string): GatewayError {
  return new GatewayError('NOT_FOUND', `There is no message ${id}; delivered ones are kept for seven days.`);
}

function describeState({ state, closedAs }: OutboxRow): string {
  if (closedAs === 'dropped') return 'dropped';
  return closedAs === undefined ? state : `already sent again as ${closedAs}`;
}
