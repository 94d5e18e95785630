import type { Config } from '../../lib/config/schema.ts';
import { readAgentProfile } from '../agent/models.ts';
import type { Runs } from '../agent/runs.ts';
import type { EventHub } from '../events.ts';
import { parseSessionKey } from '../sessions/key.ts';
import { defaultAgentId } from '../sessions/route.ts';
import type { NewInboxRow, Receipt } from '../store/inbox-row.ts';
import type { Store } from '../store/index.ts';
import { answerCommand, readCommand, type Situation } from './commands.ts';
import type { Outbound } from './outbound.ts';
import { composeReply } from './reply.ts';

export type OrdersOptions = {
  config: Config;
  store: Store;
  runs: Runs;
  outbound: Outbound;
  events: EventHub;
};

export type Orders = {
  /** The row, with what is to be done at its reception when it is an order and no question. */
  prepare(row: NewInboxRow): Promise<NewInboxRow>;
  /** Does what follows an order that is written down: at most once, and never again for a copy of it (IN-2). */
  follow(row: NewInboxRow, receipt: Receipt): void;
};

/** Carries out what people order in their chats. */
export function createOrders(options: OrdersOptions): Orders {
  const { runs, outbound, events } = options;
  return {
    async prepare(row) {
      const command = readCommand(row.payload.text);
      if (command === undefined) return row;
      const { runId } = row;
      const text = answerCommand(command, await look(options, row.sessionKey));
      return {
        ...row,
        order: {
          startsAnew: command === 'new',
          resumesParked: command === 'resume',
          messages: [
            { role: 'user', kind: 'command', text: row.payload.text, runId },
            { role: 'assistant', kind: 'command', text, runId },
          ],
          outbox: composeReply(outbound, row, text),
        },
      };
    },
    follow({ sessionKey, payload, order }, { runId, answers = [] }) {
      const command = readCommand(payload.text);
      // The running answer belongs to the conversation that was just ended.
      if (command === 'stop' || command === 'new') runs.abort({ sessionKey });
      outbound.accept(answers);
      events.publish('session.updated', { key: sessionKey }, sessionKey);
      const reply = order?.messages.at(-1)?.text ?? '';
      runs.emit(runId, { type: 'token', content: reply });
      runs.settle(runId, { status: 'ok', reply });
    },
  };
}

async function look({ config, store, runs }: OrdersOptions, sessionKey: string): Promise<Situation> {
  const { waiting, parked } = await store.inbox.countOf(sessionKey);
  const session = await store.sessions.get(sessionKey);
  const profile = readAgentProfile(config, parseSessionKey(sessionKey)?.agentId ?? defaultAgentId(config));
  return {
    isRunning: runs.isRunning(sessionKey),
    waiting,
    parked,
    model: profile.models[0] ?? 'chosen by the gateway',
    messages: session?.messageCount ?? 0,
  };
}
