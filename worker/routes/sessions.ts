import {
  deletedAnswer,
  type MessageView,
  type PendingView,
  type SessionView,
  sessionAnswer,
  sessionCreatedAnswer,
  sessionListAnswer,
} from '../../lib/answers.ts';
import { keyPath, sessionListQuery, sessionQuery, sessionRequest } from '../../lib/api.ts';
import type { Config } from '../../lib/config/schema.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { EventHub } from '../events.ts';
import { formatSessionKey } from '../sessions/key.ts';
import { defaultAgentId, isAgentEnabled } from '../sessions/route.ts';
import type { InboxRow } from '../store/inbox-row.ts';
import type { Store } from '../store/index.ts';
import type { Message, Session } from '../store/sessions.ts';
import { defineRoute, type Route } from './route.ts';

export type SessionsOptions = { config: Config; store: Store; events: EventHub };

/** Conversations: create or reuse, list, read, delete. */
export function sessionsRoutes({ config, store, events }: SessionsOptions): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/sessions',
      scope: 'operator.write',
      tag: 'Sessions',
      summary: 'Creates a session, or uses one again',
      description:
        'Never overwrites: 201 says that it is new. Without chat_id an empty one of the agent is used again.',
      body: sessionRequest,
      example: { channel: 'webchat', chat_id: 'desk' },
      answers: { 200: sessionCreatedAnswer, 201: sessionCreatedAnswer },
      async handle({ ctx, body }) {
        const agentId = body.agentId ?? defaultAgentId(config);
        if (!isAgentEnabled(config, agentId)) {
          throw new GatewayError('INVALID_REQUEST', `agentId "${agentId}" is no enabled agent.`, {
            details: [{ path: 'agentId', message: 'is no enabled agent' }],
          });
        }
        const empty = body.chat_id === undefined ? await store.sessions.findEmpty(agentId, body.channel) : undefined;
        const peerId = body.chat_id ?? empty?.peerId ?? `chat_${Date.now()}`;
        const key =
          empty?.key ??
          formatSessionKey({ agentId, channel: body.channel, accountId: 'default', peerKind: 'direct', peerId });
        const { session, isNew } = await store.sessions.ensure(key);
        if (isNew) events.publish('session.updated', { key }, key);
        ctx.status = isNew ? 201 : 200;
        return { status: 'ok' as const, session: describeSession(session), created: isNew };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sessions',
      scope: 'operator.read',
      tag: 'Sessions',
      summary: 'Lists sessions, newest first',
      query: sessionListQuery,
      answers: { 200: sessionListAnswer },
      async handle({ query }) {
        const { limit, offset } = query;
        const { sessions, total } = await store.sessions.list(query);
        return {
          items: sessions.map(describeSession),
          total,
          limit,
          offset,
          has_more: offset + sessions.length < total,
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sessions/:key',
      scope: 'operator.read',
      tag: 'Sessions',
      summary: 'Reads a session with its newest messages',
      params: keyPath,
      query: sessionQuery,
      answers: { 200: sessionAnswer },
      errors: ['SESSION_NOT_FOUND'],
      async handle({ params, query }) {
        const session = await requireSession(store, params.key);
        const { limit, before } = query;
        const found = await store.sessions.messages(session.key, {
          limit: limit + 1,
          ...(before === undefined ? {} : { before }),
        });
        const messages = found.slice(-limit);
        const pending = await store.inbox.ofSession(session.key);
        return {
          session: {
            ...describeSession(session),
            messages: messages.map(describeMessage),
            pending: pending.map(describePending),
            has_more: found.length > limit,
          },
        };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sessions/:key',
      scope: 'operator.write',
      tag: 'Sessions',
      summary: 'Deletes a session with its messages',
      params: keyPath,
      answers: { 200: deletedAnswer },
      errors: ['SESSION_NOT_FOUND'],
      async handle({ params: { key } }) {
        if (!(await store.sessions.remove(key)))
          throw new GatewayError('SESSION_NOT_FOUND', `There is no session ${key}.`);
        events.publish('session.updated', { key, deleted: true }, key);
        return { status: 'ok' as const, deleted: true as const };
      },
    }),
  ];
}

/** A session whose first message is still being answered exists for its reader, too. */
async function requireSession(store: Store, key: string): Promise<Session> {
  const session = await store.sessions.get(key);
  if (session !== undefined) return session;
  const pending = await store.inbox.ofSession(key);
  if (pending.length > 0) return (await store.sessions.ensure(key)).session;
  throw new GatewayError('SESSION_NOT_FOUND', `There is no session ${key}.`);
}

function describeSession(session: Session): SessionView {
  const { key, agentId, channel, accountId, peerKind, peerId, threadId, name, status, messageCount } = session;
  return {
    key,
    ...(name === undefined ? {} : { name }),
    status,
    createdAt: new Date(session.createdAt).toISOString(),
    updatedAt: new Date(session.updatedAt).toISOString(),
    messageCount,
    sourceChannel: channel,
    sourceChatId: peerId,
    routing: { agentId, source: channel, accountId, peerKind, peerId, ...(threadId === undefined ? {} : { threadId }) },
  };
}

function describeMessage(message: Message): MessageView {
  const { id, role, kind, text, sender, files, runId, model, usage, createdAt } = message;
  return {
    id,
    role,
    content: text,
    timestamp: new Date(createdAt).toISOString(),
    ...(sender === undefined ? {} : { sender }),
    ...(files === undefined ? {} : { files: files.split('\n') }),
    ...(kind === 'error' ? { error: true } : {}),
    ...(runId === undefined ? {} : { run_id: runId }),
    ...(model === undefined ? {} : { model }),
    ...(usage === undefined ? {} : { usage }),
  };
}

function describePending({ runId, payload, receivedAt }: InboxRow): PendingView {
  return { run_id: runId, role: 'user', content: payload.text, timestamp: new Date(receivedAt).toISOString() };
}
