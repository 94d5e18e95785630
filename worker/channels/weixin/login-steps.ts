import { setTimeout as delay } from 'node:timers/promises';
import { NoAnswer } from '../../../lib/deadline.ts';
import { type Answer, createClient, StatusError, type WeixinClient } from './client.ts';
import type { Credentials } from './credentials.ts';
import type { WeixinTiming } from './timing.ts';

export type LoginOptions = {
  loginBaseUrl: string;
  routeTag: string | undefined;
  /** Of the bot that is logged in already, so that the service can say that it is the same. */
  knownToken: string | undefined;
  timing: WeixinTiming;
  signal: AbortSignal;
  /** The next digits that the person read from the phone. */
  takeCode(): string | undefined;
  report(progress: LoginProgress): void;
};

/** What the person is to do: scan `qr` (a text to draw as a QR code), confirm on the phone, or read digits from it. */
export type LoginProgress = { step: 'scan'; qr: string } | { step: 'confirm' } | { step: 'code'; isRepeated: boolean };

export type LoginEnd =
  | { kind: 'confirmed'; login: Omit<Credentials, 'version'> }
  /** The same bot is logged in already. */
  | { kind: 'known' }
  | { kind: 'failed'; reason: string };

/** So many QR codes are shown before a login is given up; each is good for some minutes. */
const MAX_CODES = 3;

const QR_MS = 10_000;

/** Logs a bot in by a QR code that a person scans (channels 4.3). Resolves with what came of it; rejects when the signal aborts. */
export async function logIn(options: LoginOptions): Promise<LoginEnd> {
  const { loginBaseUrl, routeTag, signal, timing } = options;
  const deadline = Date.now() + timing.loginMs;
  for (let count = 0; count < MAX_CODES; count += 1) {
    const client = createClient({ baseUrl: loginBaseUrl, routeTag });
    const qrcode = await fetchCode(client, options);
    const end = await watchCode(client, qrcode, options, deadline);
    signal.throwIfAborted();
    if (end !== 'expired') return end;
  }
  return {
    kind: 'failed',
    reason: `no QR code was scanned in time, or the digits were wrong; ${MAX_CODES} were shown`,
  };
}

async function fetchCode(client: WeixinClient, { knownToken, signal, report }: LoginOptions): Promise<string> {
  const body = { local_token_list: knownToken === undefined ? [] : [knownToken] };
  const answer = await client.post('get_bot_qrcode?bot_type=3', body, { timeoutMs: QR_MS, signal });
  const { qrcode, qrcode_img_content: content } = answer;
  if (typeof qrcode !== 'string' || typeof content !== 'string')
    throw new Error('the service gave no QR code; is the login server right?');
  report({ step: 'scan', qr: content });
  return qrcode;
}

async function watchCode(
  first: WeixinClient,
  qrcode: string,
  options: LoginOptions,
  deadline: number,
): Promise<LoginEnd | 'expired'> {
  const { timing, signal, report } = options;
  let client = first;
  let code: string | undefined;
  let isAsked = false;
  while (!signal.aborted) {
    if (Date.now() > deadline) return { kind: 'failed', reason: 'nobody confirmed the login in time' };
    const query = { qrcode, ...(code === undefined ? {} : { verify_code: code }) };
    const answer = await lookAt(client, query, options);
    code = undefined;
    switch (answer['status']) {
      case 'scaned':
        report({ step: 'confirm' });
        break;
      case 'confirmed':
        return readLogin(answer, options);
      case 'need_verifycode':
        report({ step: 'code', isRepeated: isAsked });
        isAsked = true;
        code = await waitForCode(options, deadline);
        // They are good at once, and not for long.
        continue;
      case 'expired':
      case 'verify_code_blocked':
        return 'expired';
      case 'scaned_but_redirect':
        client = redirect(answer['redirect_host'], options) ?? client;
        report({ step: 'confirm' });
        break;
      case 'binded_redirect':
        return { kind: 'known' };
      default:
        break;
    }
    await delay(timing.loginPollMs, undefined, { signal });
  }
  throw signal.reason;
}

/** Long silence and trouble on the way mean no more than that nothing has happened yet. */
async function lookAt(client: WeixinClient, query: Record<string, string>, options: LoginOptions): Promise<Answer> {
  const { timing, signal } = options;
  try {
    return await client.get('get_qrcode_status', query, { timeoutMs: timing.longPollMs, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NoAnswer || error instanceof StatusError || error instanceof TypeError) return {};
    throw error;
  }
}

async function waitForCode({ takeCode, signal, timing }: LoginOptions, deadline: number): Promise<string | undefined> {
  while (Date.now() < deadline) {
    const code = takeCode();
    if (code !== undefined) return code;
    await delay(Math.min(200, timing.loginPollMs), undefined, { signal });
  }
  return undefined;
}

/** On the same kind of connection as before: what was encrypted stays so. */
function redirect(host: unknown, { loginBaseUrl, routeTag }: LoginOptions): WeixinClient | undefined {
  if (typeof host !== 'string' || !/^[\w.-]+(:\d+)?$/.test(host)) return undefined;
  return createClient({ baseUrl: `${new URL(loginBaseUrl).protocol}//${host}`, routeTag });
}

function readLogin(answer: Answer, { loginBaseUrl }: LoginOptions): LoginEnd {
  const { bot_token: botToken, ilink_bot_id: botId, ilink_user_id: userId, baseurl } = answer;
  if (typeof botToken !== 'string' || typeof botId !== 'string' || botToken === '' || botId === '')
    return { kind: 'failed', reason: 'the service confirmed the login without saying of which bot' };
  const baseUrl = typeof baseurl === 'string' && baseurl !== '' ? baseurl.replace(/\/+$/, '') : loginBaseUrl;
  if (!URL.canParse(baseUrl) || new URL(baseUrl).protocol !== new URL(loginBaseUrl).protocol)
    return {
      kind: 'failed',
      reason: 'the service named a server that is none, or not as safe as the one that logs in',
    };
  return {
    kind: 'confirmed',
    login: { botToken, botId, baseUrl, userId: typeof userId === 'string' && userId !== '' ? userId : undefined },
  };
}
