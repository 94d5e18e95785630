import { randomBytes } from 'node:crypto';
import { withDeadline } from '../../../lib/deadline.ts';
import { parseLossless } from '../../../lib/lossless-json.ts';
import { VERSION } from '../../../lib/version.ts';

/** The service gave a definite answer: no. */
export class WeixinError extends Error {
  override readonly name = 'WeixinError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(`Weixin answers ${code}${message === '' ? '' : `: ${message}`}`);
    this.code = code;
  }
}

/** The service, or what stands before it, answered with a status that is no success. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: number;

  constructor(status: number) {
    super(`Weixin answers with HTTP status ${status}`);
    this.status = status;
  }
}

/** The login is void, because another one took its place, it was idle for long, or its time was over. */
export const LOGIN_VOID = -14;

/** The peer must write first, or too much was sent. */
export const WINDOW_CLOSED = -2;

export type Answer = Readonly<Record<string, unknown>>;

export type CallOptions = { timeoutMs: number; signal: AbortSignal };

/** The iLink API of one bot, or of nobody before a login. */
export type WeixinClient = {
  /** Calls a method of `/ilink/bot/`. Throws WeixinError, StatusError, NoAnswer, and what went wrong on the way. */
  post(method: string, body: Record<string, unknown>, options: CallOptions): Promise<Answer>;
  get(method: string, query: Record<string, string>, options: CallOptions): Promise<Answer>;
};

export type ClientOptions = { baseUrl: string; botToken?: string | undefined; routeTag: string | undefined };

/** Creates the client of a bot. */
export function createClient({ baseUrl, botToken, routeTag }: ClientOptions): WeixinClient {
  const identity = {
    'iLink-App-Id': 'bot',
    'iLink-App-ClientVersion': CLIENT_VERSION,
    ...(routeTag === undefined ? {} : { SKRouteTag: routeTag }),
  };
  return {
    post: (method, body, options) =>
      call(`${baseUrl}/ilink/bot/${method}`, options, {
        method: 'POST',
        headers: {
          ...identity,
          'Content-Type': 'application/json',
          AuthorizationType: 'ilink_bot_token',
          'X-WECHAT-UIN': Buffer.from(String(randomBytes(4).readUInt32BE())).toString('base64'),
          ...(botToken === undefined ? {} : { Authorization: `Bearer ${botToken}` }),
        },
        body: JSON.stringify({ ...body, base_info: BASE_INFO }),
      }),
    get: (method, query, options) =>
      call(`${baseUrl}/ilink/bot/${method}?${new URLSearchParams(query)}`, options, { headers: identity }),
  };
}

/** Of the protocol that is spoken: 2.4.9 as 0x00MMNNPP. */
const CLIENT_VERSION = '132105';
const BASE_INFO = { channel_version: '2.4.9', bot_agent: `xopc/${VERSION}` };

/** No answer is as long as this. */
const MAX_ANSWER = 8 * 1_024 * 1_024;

function call(url: string, { timeoutMs, signal }: CallOptions, init: RequestInit): Promise<Answer> {
  return withDeadline(signal, timeoutMs, async (limited) => {
    const response = await fetch(url, { ...init, signal: limited, redirect: 'error' });
    if (!response.ok || Number(response.headers.get('content-length')) > MAX_ANSWER) {
      await response.body?.cancel();
      throw new StatusError(response.status);
    }
    return readAnswer(await response.text());
  });
}

function readAnswer(text: string): Answer {
  const value = text.trim() === '' ? {} : parseLossless(text);
  if (typeof value !== 'object' || value === null) throw new SyntaxError('the answer is no JSON object');
  const answer = value as Answer;
  const code = [answer['ret'], answer['errcode']].map(Number).find((one) => Number.isInteger(one) && one !== 0);
  if (code !== undefined) throw new WeixinError(code, String(answer['errmsg'] ?? ''));
  return answer;
}
