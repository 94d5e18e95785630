import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../lib/log.ts';
import {
  type OutboundMessage,
  type Quoting,
  RateLimited,
  Rejected,
  type Streaming,
  Unreachable,
} from '../channels/plugin.ts';
import type { InboxRow } from '../store/inbox-row.ts';
import type { Store } from '../store/index.ts';
import type { Carrier } from './attempt.ts';
import type { Outbound } from './outbound.ts';
import { splitText } from './split.ts';

export type DraftOptions = {
  row: InboxRow;
  owner: string;
  store: Pick<Store, 'inbox'>;
  carrier: Pick<Carrier, 'send' | 'edit' | 'textLimit' | 'quoting'>;
  outbound: Pick<Outbound, 'isWaiting'>;
  streaming: Streaming;
  log: Logger;
};

/** What the answer has to take the place of. */
export type DraftEnd = {
  /** The platform's id of the message that showed it. */
  replaces?: string;
  /** Something may have been posted that nobody knows the id of. */
  isDoubtful: boolean;
};

export type Draft = {
  /** Shows the answer so far, soon. */
  show(text: string): void;
  /** Ends the showing, so that the answer itself has the way free. */
  end(): Promise<DraftEnd>;
};

/** Shorter ones say too little to be shown. */
const FIRST_LENGTH = 20;
/** How long the end waits for a step that is under way. */
const LAST_STEP_MS = 5_000;

const POST_TIMEOUT_MS = 30_000;

/** Stands behind a text that goes on. */
const MORE = ' …';

/**
 * Shows an answer in one message that grows. Only the id of that message is durable: what it shows is lost without harm, and
 * the answer takes its place by an edit (channels 1, rule 5). Edits keep the platform's pace and never hold up the answer.
 */
export function createDraft(options: DraftOptions): Draft {
  const { row } = options;
  const editing = new AbortController();
  const ending = new AbortController();
  const state: DraftState = {
    wanted: '',
    shown: '',
    remoteId: row.draft === '' ? undefined : row.draft,
    // Found so: the last holder of the row died while it was being posted.
    isDoubtful: row.draft === '',
    isOver: row.draft === '',
  };
  let showing: Promise<void> | undefined;
  return {
    show(text) {
      state.wanted = text;
      showing ??= keepShowing(options, state, { ending: ending.signal, editing: editing.signal });
    },
    async end() {
      ending.abort();
      // An edit that is cut off may still be carried out, after that of the answer: so it is waited for, within reason.
      await Promise.race([showing, sleep(LAST_STEP_MS, undefined, { ref: false })]);
      editing.abort();
      const { remoteId, isDoubtful } = state;
      return { isDoubtful, ...(remoteId === undefined ? {} : { replaces: remoteId }) };
    },
  };
}

type DraftState = {
  wanted: string;
  shown: string;
  remoteId: string | undefined;
  isDoubtful: boolean;
  isOver: boolean;
};

/** `ending` stops the loop, `editing` also cuts off an edit. */
type Signals = { ending: AbortSignal; editing: AbortSignal };

async function keepShowing(options: DraftOptions, state: DraftState, signals: Signals): Promise<void> {
  const { streaming, log } = options;
  await pause(streaming.afterMs, signals.ending);
  while (!signals.ending.aborted && !state.isOver) {
    let waitMs = streaming.everyMs;
    try {
      await step(options, state, signals.editing);
    } catch (error) {
      if (error instanceof RateLimited) waitMs = Math.max(waitMs, error.retryAfterMs);
      // The message is there or can be posted later; anything else is not worth trying again for a decoration.
      else if (!(error instanceof Unreachable)) state.isOver = true;
      if (!signals.editing.aborted) log.debug({ err: error, run: options.row.runId }, 'A growing answer is not shown');
    }
    await pause(waitMs, signals.ending);
  }
}

async function step(options: DraftOptions, state: DraftState, signal: AbortSignal): Promise<void> {
  const text = chooseText(options, state.wanted);
  if (text === state.shown || text.trim().length < FIRST_LENGTH) return;
  // What was said before comes first.
  if (state.remoteId === undefined && (await options.outbound.isWaiting(options.row.payload))) return;
  if (state.remoteId === undefined) await post(options, state, text + MORE);
  else await edit(options, { state, remoteId: state.remoteId, text: text + MORE }, signal);
  state.shown = text;
}

/** The first part of the answer; by blocks only up to where one is complete. */
function chooseText({ carrier, row, streaming }: DraftOptions, wanted: string): string {
  const [text = ''] = splitText(wanted, carrier.textLimit(row.payload, MORE.length));
  if (!streaming.isByBlock) return text;
  const end = Math.max(
    text.lastIndexOf('\n\n'),
    ...['. ', '! ', '? ', '。', '！', '？'].map((mark) => text.lastIndexOf(mark) + 1),
  );
  return text.slice(0, Math.max(0, end)).trimEnd();
}

async function post({ row, owner, store, carrier }: DraftOptions, state: DraftState, text: string): Promise<void> {
  if (!(await store.inbox.markDraft(row, owner, ''))) {
    state.isOver = true;
    return;
  }
  state.isDoubtful = true;
  try {
    const { remoteId } = await carrier.send(
      row.payload.channel,
      composeDraft(row, text, carrier.quoting(row.payload.channel, row.payload.accountId, row.payload.peerKind)),
      AbortSignal.timeout(POST_TIMEOUT_MS),
    );
    state.remoteId = remoteId;
    state.isDoubtful = false;
    await store.inbox.markDraft(row, owner, remoteId);
  } catch (error) {
    if (error instanceof RateLimited || error instanceof Unreachable || error instanceof Rejected) {
      state.isDoubtful = false;
      await store.inbox.markDraft(row, owner, null);
    }
    throw error;
  }
}

async function edit(
  { row, carrier }: DraftOptions,
  { state, remoteId, text }: { state: DraftState; remoteId: string; text: string },
  signal: AbortSignal,
): Promise<void> {
  const { channel, accountId, chatId } = row.payload;
  const result = await carrier.edit(channel, { accountId, chatId, remoteId, text }, signal);
  if (result === 'edited') return;
  state.remoteId = undefined;
  state.isOver = true;
}

function composeDraft({ runId, payload }: InboxRow, text: string, quoting: Quoting): OutboundMessage {
  const { accountId, chatId, threadId, messageId } = payload;
  return {
    id: `draft_${runId}`,
    accountId,
    chatId,
    text,
    ...(threadId === undefined ? {} : { threadId }),
    ...(messageId === undefined || quoting === 'off' ? {} : { replyTo: messageId }),
  };
}

/** Resolves early when the signal aborts. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
