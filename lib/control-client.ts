import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CONTROL_VERSION,
  type ControlError,
  type ControlReply,
  type ControlRequest,
  type ControlResults,
} from './control.ts';
import { errorCode, errorMessage } from './errors.ts';
import { monotonicMs } from './monotonic.ts';

/** Nobody listens on the control socket: no gateway runs, or it could not open one. */
export class ControlUnavailable extends Error {
  override readonly name = 'ControlUnavailable';
}

/** The gateway answered that it does not do this; the message and hint are for the operator. */
export class ControlRefused extends Error {
  override readonly name = 'ControlRefused';
  readonly code: ControlError['code'];
  readonly hint: string | undefined;

  constructor({ code, message, hint }: ControlError) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Somebody listens but gave no answer, in time or at all. Whether the request was followed is unknown. */
export class ControlUnanswered extends Error {
  override readonly name = 'ControlUnanswered';
}

/** How long to wait before asking a gateway again that already has as many clients as it takes. */
const CROWDED_MS = 20;

/**
 * Asks the gateway behind a control socket, which takes a few milliseconds. Rejects with `ControlUnavailable`, `ControlRefused`
 * or, after `timeoutMs`, `ControlUnanswered`.
 */
export async function callControl<R extends ControlRequest>(
  path: string,
  request: R,
  timeoutMs = 2_000,
): Promise<ControlResults[R['do']]> {
  const line = `${JSON.stringify({ v: CONTROL_VERSION, ...request })}\n`;
  const deadline = monotonicMs() + timeoutMs;
  assertOurs(path);
  for (;;) {
    const left = deadline - monotonicMs();
    if (left <= 0) throw new ControlUnanswered(`The gateway gave no answer within ${timeoutMs} ms.`);
    const answer = await exchange(path, line, left);
    if (answer === undefined) continue;
    if (answer !== '') return readReply<ControlResults[R['do']]>(answer);
    // Hung up on without having been read.
    await delay(CROWDED_MS);
  }
}

/** In `/tmp` anybody could listen in our place. The superuser looks at the gateways of others. */
function assertOurs(path: string): void {
  if (process.platform === 'win32') return;
  const owner = lstatSync(path, { throwIfNoEntry: false })?.uid;
  const own = process.getuid?.();
  if (owner === undefined) throw new ControlUnavailable(`There is no control socket ${path}.`);
  if (owner !== own && own !== 0) throw new ControlUnavailable(`The control socket ${path} belongs to another user.`);
}

/** What the other side said until it hung up; undefined when the time is up. */
function exchange(path: string, line: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    const finish = (answer: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const said = (): string => Buffer.concat(chunks).toString('utf8');
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('close', () => finish(said()));
    socket.once('error', (error) => {
      if (HUNG_UP.has(errorCode(error) ?? '')) return finish(said());
      clearTimeout(timer);
      reject(new ControlUnavailable(`Nobody answers on ${path}: ${errorMessage(error)}`, { cause: error }));
    });
    socket.write(line);
  });
}

/** Errors of a connection that was made, or that waits for its turn. */
const HUNG_UP: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'EAGAIN']);

function readReply<T>(answer: string): T {
  const reply = parseReply<T>(answer);
  if (reply === undefined) throw new ControlUnanswered('What the gateway answered cannot be understood.');
  if (reply.ok) return reply.result;
  throw new ControlRefused(reply.error);
}

function parseReply<T>(answer: string): ControlReply<T> | undefined {
  try {
    const reply = JSON.parse(answer) as ControlReply<T>;
    return typeof reply.ok === 'boolean' ? reply : undefined;
  } catch {
    return undefined;
  }
}
