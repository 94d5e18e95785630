import { createHash, randomUUID } from 'node:crypto';
import type { Config } from '../../lib/config/schema.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { Provider } from '../agent/providers/provider.ts';
import type { RunEvent, RunResult, Runs } from '../agent/runs.ts';
import type { Inbound } from '../messages/inbound.ts';
import type { Context } from '../middleware/state.ts';
import { parseSessionKey } from '../sessions/key.ts';
import type { InboxPayload, Receipt } from '../store/inbox-row.ts';
import type { Store } from '../store/index.ts';

export type AgentOptions = {
  config: Config;
  store: Store;
  runs: Runs;
  inbound: Inbound;
  providers: ReadonlyMap<string, Provider>;
};

/** A message for a session whose answer somebody waits for. */
export type Question = {
  sessionKey: string;
  payload: InboxPayload;
  /** The caller's key: the same one with the same content is the same turn. */
  idempotencyKey?: string | undefined;
  onEvent?(event: RunEvent): void;
  /** Aborts the waiting, never the turn. */
  signal: AbortSignal;
};

/**
 * Submits a question and waits for its answer. Throws AGENT_ERROR when the turn fails (504 when it took too long) and CONFLICT
 * when the idempotency key was used for something else.
 */
export async function ask(options: AgentOptions, question: Question): Promise<{ reply: string; runId: string }> {
  const { result, runId } = await submit(options, question);
  if (result.status !== 'error') return { reply: result.reply, runId };
  throw new GatewayError('AGENT_ERROR', result.message, result.isTimeout ? { status: 504 } : {});
}

/** The caller's idempotency key: header (draft-ietf-httpapi-idempotency-key-header) or field. */
export function idempotencyKeyOf(ctx: Context, body: { idempotency_key?: string | undefined }): string | undefined {
  const header = ctx.get('Idempotency-Key');
  if (header === '') return body.idempotency_key;
  if (header.length > 256)
    throw new GatewayError('INVALID_REQUEST', 'Idempotency-Key must have at most 256 characters.');
  return header;
}

/** A signal that aborts when the caller hangs up. */
export function closedSignal(ctx: Context): AbortSignal {
  const controller = new AbortController();
  // With a reason of ours no error object is built, which each request would pay for.
  ctx.res.once('close', () => controller.abort('closed'));
  return controller.signal;
}

/** Where the answer of a session's turn goes. */
export function addressOf(
  sessionKey: string,
): Pick<InboxPayload, 'channel' | 'accountId' | 'peerKind' | 'chatId' | 'threadId'> {
  const address = parseSessionKey(sessionKey);
  if (address === undefined) throw new Error(`"${sessionKey}" is no session key`);
  const { channel, accountId, peerKind, peerId, threadId } = address;
  return { channel, accountId, peerKind, chatId: peerId, ...(threadId === undefined ? {} : { threadId }) };
}

/** Submits a question and waits for its end, whichever it is. Throws CONFLICT as `ask` does. */
export async function submit(
  options: AgentOptions,
  question: Question,
  runId: string = randomUUID(),
): Promise<{ result: RunResult; runId: string }> {
  const { sessionKey, payload, idempotencyKey } = question;
  const watch = options.runs.watch(runId, question.onEvent);
  try {
    const dedupe =
      idempotencyKey === undefined
        ? undefined
        : { key: `api:${idempotencyKey}`, digest: digestOf(sessionKey, payload) };
    const receipt = await options.inbound.submit({
      runId,
      sessionKey,
      payload,
      ...(dedupe === undefined ? {} : { dedupe }),
    });
    if (!receipt.isDuplicate) return { result: await settled(options, watch.done, receipt, question.signal), runId };
    if (receipt.digest !== dedupe?.digest)
      throw new GatewayError('CONFLICT', 'This idempotency key was used for another request.');
    return await joinRun(options, receipt, question);
  } finally {
    watch.stop();
  }
}

async function joinRun(
  options: AgentOptions,
  receipt: Receipt,
  question: Question,
): Promise<{ result: RunResult; runId: string }> {
  const { runId } = receipt;
  const watch = options.runs.watch(runId, question.onEvent);
  try {
    return { result: await settled(options, watch.done, receipt, question.signal), runId };
  } finally {
    watch.stop();
  }
}

const LOOK_EVERY_MS = 1_000;

/** Waits for a run's end. It may be worked on by another worker, or be over: so the store is looked at now and then. */
async function settled(
  options: AgentOptions,
  done: Promise<RunResult>,
  receipt: Receipt,
  signal: AbortSignal,
): Promise<RunResult> {
  const { runId, sessionKey } = receipt;
  const isOurs = receipt.claimed !== undefined;
  let look: NodeJS.Timeout | undefined;
  const found = new Promise<RunResult>((resolve, reject) => {
    const inspect = async (): Promise<void> => {
      if (await options.store.inbox.isPending(runId)) return;
      resolve(await readStoredResult(options.store, sessionKey, runId));
    };
    if (receipt.isDuplicate) inspect().catch(reject);
    if (!isOurs) look = setInterval(() => void inspect().catch(reject), LOOK_EVERY_MS);
    signal.addEventListener(
      'abort',
      () => reject(new GatewayError('NOT_READY', 'The caller hung up; the turn goes on.')),
      { once: true },
    );
  });
  try {
    return await Promise.race([done, found]);
  } finally {
    clearInterval(look);
  }
}

async function readStoredResult(store: Store, sessionKey: string, runId: string): Promise<RunResult> {
  const message = await store.sessions.reply(sessionKey, runId);
  if (message === undefined)
    return {
      status: 'error',
      code: 'AGENT_ERROR',
      message: 'The answer of this run is no longer stored.',
      isTimeout: false,
    };
  if (message.kind === 'error')
    return { status: 'error', code: 'AGENT_ERROR', message: message.text, isTimeout: false };
  return { status: 'ok', reply: message.text };
}

function digestOf(sessionKey: string, payload: InboxPayload): string {
  return createHash('sha256')
    .update(JSON.stringify([sessionKey, payload.text, payload.model ?? '', payload.deliver]))
    .digest('hex')
    .slice(0, 32);
}
