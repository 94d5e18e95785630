import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../lib/config/schema.ts';
import { errorMessage, GatewayError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { readAgentProfile } from '../agent/models.ts';
import type { Provider } from '../agent/providers/provider.ts';
import type { RunEvent, RunResult, Runs } from '../agent/runs.ts';
import { runTurn, TurnFailed, type TurnOutcome } from '../agent/turn.ts';
import type { EventHub } from '../events.ts';
import { parseSessionKey } from '../sessions/key.ts';
import { defaultAgentId } from '../sessions/route.ts';
import { StoreClosed } from '../store/database.ts';
import type { InboxRow } from '../store/inbox-row.ts';
import type { Store } from '../store/index.ts';
import type { Overheard } from '../store/overheard.ts';
import type { NewMessage } from '../store/sessions.ts';
import { ClaimLost } from '../store/turns.ts';
import type { Carrier } from './attempt.ts';
import { composeConversation } from './conversation.ts';
import { createDraft, type Draft, type DraftEnd } from './draft.ts';
import type { Files } from './files.ts';
import type { Outbound } from './outbound.ts';
import { composeReply } from './reply.ts';

export type DispatchOptions = {
  config: Config;
  store: Store;
  runs: Runs;
  events: EventHub;
  outbound: Outbound;
  providers: ReadonlyMap<string, Provider>;
  /** The model when neither agent nor message names one. */
  fallbackModel(): Promise<string>;
  /** The channels as far as a turn shows itself on them while it lasts. */
  carrier: Carrier;
  files: Files;
  owner: string;
  log: Logger;
};

/** A turn is begun at most this often: one that ends the worker again and again must not take the gateway with it (RESUME-1). */
const MAX_ATTEMPTS = 2;

const INTERRUPTED =
  'Your message interrupted the gateway twice while it was being answered, so it was set aside. Reply /resume to try it once more, or send it again in another form.';

type Answer = {
  result: RunResult;
  text: string;
  kind: 'text' | 'error';
  isParked?: true;
  model?: string;
  usage?: TurnOutcome['usage'];
  /** What was shown of it while it grew. */
  draft?: DraftEnd;
};

/** Works one message of the inbox to its end: turn, then transcript and replies committed together. Returns the worker of a lane. */
export function createDispatch(options: DispatchOptions): (row: InboxRow) => Promise<void> {
  const { runs, log } = options;
  return async (given) => {
    const { runId, sessionKey } = given;
    const startedAt = Date.now();
    const signal = runs.begin(runId, sessionKey);
    try {
      const question = await gatherQuestion(options, given, signal);
      const { row } = question;
      emit(options, row, { type: 'status', status: 'running', run_id: runId });
      const answer = await answerRow(options, question, signal);
      await finish(options, question, answer);
      const status = answer.result.status;
      log.info(
        { session: sessionKey, run: runId, model: answer.model, status, ms: Date.now() - startedAt },
        'A turn ended',
      );
      emit(options, row, toEvent(runId, answer.result));
      runs.settle(runId, answer.result);
    } catch (error) {
      if (!(error instanceof ClaimLost)) {
        runs.settle(runId, {
          status: 'error',
          code: 'INTERNAL_ERROR',
          message: 'The answer could not be stored.',
          isTimeout: false,
        });
        throw error;
      }
      log.warn({ session: sessionKey, run: runId }, 'Another worker took the turn over; this answer is dropped');
    } finally {
      runs.end(runId);
    }
  };
}

/** What is asked: the row, and the messages that the transcript gets for it; the question itself is the last one. */
type Question = { row: InboxRow; messages: readonly NewMessage[]; heardUpTo?: number };

/** The question with a line for each file that came with it, and what was said to others before it. */
async function gatherQuestion(
  { files, store }: DispatchOptions,
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

async function answerRow(options: DispatchOptions, question: Question, signal: AbortSignal): Promise<Answer> {
  const { row } = question;
  if (row.attempts > MAX_ATTEMPTS)
    return { ...failure('AGENT_ERROR', INTERRUPTED, false), isParked: true, draft: findDraft(row) };
  const draft = openDraft(options, row);
  const answer = await answerTurn(options, { ...question, signal, draft });
  return { ...answer, draft: (await draft?.end()) ?? findDraft(row) };
}

/** What an interrupted try before this one has shown. */
function findDraft({ draft }: InboxRow): DraftEnd {
  return draft === undefined || draft === '' ? { isDoubtful: draft === '' } : { isDoubtful: false, replaces: draft };
}

function openDraft({ carrier, store, outbound, owner, log }: DispatchOptions, row: InboxRow): Draft | undefined {
  const { channel, accountId, peerKind, deliver } = row.payload;
  const streaming = deliver ? carrier.streaming(channel, accountId, peerKind) : undefined;
  return streaming === undefined ? undefined : createDraft({ row, owner, store, carrier, outbound, streaming, log });
}

type Turn = Question & { signal: AbortSignal; draft: Draft | undefined };

async function answerTurn(options: DispatchOptions, turn: Turn): Promise<Answer> {
  const { row } = turn;
  const typing = new AbortController();
  if (row.payload.deliver) options.carrier.showTyping(row.payload, typing.signal);
  try {
    const outcome = await think(options, turn);
    const status = outcome.isAborted ? 'aborted' : 'ok';
    const { text, model, usage } = outcome;
    return { result: { status, reply: text }, text, kind: 'text', model, ...(usage === undefined ? {} : { usage }) };
  } catch (error) {
    options.log.error({ err: error, session: row.sessionKey, run: row.runId }, 'A turn failed');
    if (error instanceof TurnFailed) return failure('AGENT_ERROR', error.message, error.isTimeout);
    return failure('AGENT_ERROR', `The agent failed: ${errorMessage(error)}`, false);
  } finally {
    typing.abort('answered');
  }
}

function failure(code: string, message: string, isTimeout: boolean): Answer {
  return { result: { status: 'error', code, message, isTimeout }, text: message, kind: 'error' };
}

async function think(options: DispatchOptions, { row, messages: asked, signal, draft }: Turn): Promise<TurnOutcome> {
  const { config, store, providers, log } = options;
  const { sessionKey, payload } = row;
  const agentId = parseSessionKey(sessionKey)?.agentId ?? defaultAgentId(config);
  const profile = { ...readAgentProfile(config, agentId), ...payload.settings };
  const chosen = payload.model === undefined ? profile.models : [payload.model];
  const models = chosen.length > 0 ? chosen : [await options.fallbackModel()];
  const messages = await store.sessions.context(sessionKey, profile.historyLimit);
  let shown = '';
  const request = {
    profile,
    models,
    sessionKey,
    ...composeConversation(messages, asked),
    timeoutMs: config.agents.turnTimeout,
    signal,
    onText(content: string) {
      shown += content;
      draft?.show(shown);
      emit(options, row, { type: 'token', content });
    },
    onReasoning: (content: string) => emit(options, row, { type: 'reasoning', content }),
  };
  return runTurn(request, providers, log);
}

/** Commits the end of the turn; a store that cannot write for a while (full disk) is waited for, the answer is not thrown away. */
async function finish(options: DispatchOptions, question: Question, answer: Answer): Promise<void> {
  const { store, outbound, owner, log } = options;
  const { row, heardUpTo } = question;
  const turn = {
    row,
    owner,
    messages: describeMessages(question, answer),
    ...(heardUpTo === undefined ? {} : { heardUpTo }),
    outbox: composeReply(outbound, row, answer.text, answer.draft),
  };
  for (let waitMs = 500; ; waitMs = Math.min(waitMs * 2, 30_000)) {
    try {
      outbound.accept(await (answer.isParked === true ? store.turns.park(turn) : store.turns.finish(turn)));
      options.events.publish('session.updated', { key: row.sessionKey }, row.sessionKey);
      return;
    } catch (error) {
      // Rebuilt in place, the process goes on; its claims were given back before the store was closed.
      if (error instanceof StoreClosed) throw new ClaimLost(`Run ${row.runId} is left to the next worker`);
      if (!(error instanceof GatewayError) || error.code !== 'NOT_READY') throw error;
      log.error({ err: error, run: row.runId }, 'An answer cannot be stored; trying again');
      await sleep(waitMs);
    }
  }
}

function describeMessages({ row: { runId }, messages }: Question, answer: Answer): NewMessage[] {
  const { text, kind, model, usage } = answer;
  const assistant: NewMessage = {
    role: 'assistant',
    kind,
    text,
    runId,
    ...(model === undefined ? {} : { model }),
    ...(usage === undefined ? {} : { usage }),
  };
  // The question itself follows when it is answered after all.
  if (answer.isParked === true) return [assistant];
  return text === '' ? [...messages] : [...messages, assistant];
}

function emit({ runs, events }: DispatchOptions, { runId, sessionKey }: InboxRow, event: RunEvent): void {
  runs.emit(runId, event);
  events.publish('agent.stream', { session: sessionKey, run_id: runId, event }, sessionKey);
}

function toEvent(runId: string, result: RunResult): RunEvent {
  if (result.status === 'error') return { type: 'error', code: result.code, message: result.message };
  return { type: 'result', run_id: runId, status: result.status, reply: result.reply };
}
