import { isRecord } from '../lib/config/source.ts';
import {
  CONTROL_VERSION,
  type ControlError,
  type ControlReply,
  type ControlRequest,
  type ControlResults,
} from '../lib/control.ts';
import type { Logger } from '../lib/log.ts';

/** What the supervisor does for each request. May throw a `ControlRefusal`. */
export type ControlHandler = {
  [K in keyof ControlResults]: (
    request: Extract<ControlRequest, { do: K }>,
  ) => ControlResults[K] | Promise<ControlResults[K]>;
};

/** Thrown by a handler that will not do what it was asked; both texts reach the operator. */
export class ControlRefusal extends Error {
  override readonly name = 'ControlRefusal';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** Carries out one request line and returns the line to answer. Never rejects; what goes wrong in a handler is logged, not told. */
export async function answerRequest(line: string, handle: ControlHandler, log: Logger): Promise<string> {
  const request = parseRequest(line);
  if (typeof request === 'string') return refuse({ code: 'INVALID_REQUEST', message: request });
  try {
    return format({ ok: true, result: await perform(request, handle) });
  } catch (error) {
    if (error instanceof ControlRefusal) {
      const { message, hint } = error;
      return refuse({ code: 'REFUSED', message, ...(hint === undefined ? {} : { hint }) });
    }
    log.error({ err: error, request: request.do }, 'A request on the control socket failed.');
    return refuse({ code: 'INTERNAL_ERROR', message: `The supervisor failed at "${request.do}"; its log says why.` });
  }
}

/** The line of a negative answer. */
export function refuse(error: ControlError): string {
  return format({ ok: false, error });
}

function format(reply: ControlReply<unknown>): string {
  return `${JSON.stringify(reply)}\n`;
}

/** The request on a line, or what is wrong with it. Fields that are left out have their defaults. */
function parseRequest(line: string): ControlRequest | string {
  const value = parseJson(line);
  if (!isRecord(value)) return 'The request is no JSON object on one line.';
  const { v: version = CONTROL_VERSION, do: what } = value;
  if (version !== CONTROL_VERSION) {
    return `This gateway speaks version ${CONTROL_VERSION} of the control protocol, not ${JSON.stringify(version)}.`;
  }
  switch (what) {
    case 'status':
    case 'stop':
    case 'token':
    case 'report':
      return { do: what };
    case 'restart':
      return parseRestart(value);
    default:
      return 'The request asks for nothing that this gateway knows: "do" is status, stop, restart, token or report.';
  }
}

function parseRestart({ force = false, reason = 'control socket' }: Record<string, unknown>): ControlRequest | string {
  if (typeof force !== 'boolean') return '"force" must be true or false.';
  if (typeof reason !== 'string') return '"reason" must be a text.';
  return { do: 'restart', force, reason };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function perform(request: ControlRequest, handle: ControlHandler): Promise<ControlResults[keyof ControlResults]> {
  switch (request.do) {
    case 'status':
      return handle.status(request);
    case 'stop':
      return handle.stop(request);
    case 'restart':
      return handle.restart(request);
    case 'token':
      return handle.token(request);
    case 'report':
      return handle.report(request);
    default:
      return request satisfies never;
  }
}
