import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RateLimited, Rejected, Unknown, Unreachable, WindowClosed } from '../../../../worker/channels/plugin.ts';
import { createClient, type WeixinClient } from '../../../../worker/channels/weixin/client.ts';
import { logIn } from '../../../../worker/channels/weixin/login-steps.ts';
import { sendPart } from '../../../../worker/channels/weixin/send.ts';
import { WEIXIN_TIMING } from '../../../../worker/channels/weixin/timing.ts';
import { startWeixinEmulator, type WeixinEmulator } from '../../../emulators/start.ts';
import { closedPort } from '../../agent/providers/closed-port.ts';

const NEVER = new AbortController().signal;
const ADA = 'ada@im.wechat';
const HOUR_MS = 3_600_000;
const QUICK = { ...WEIXIN_TIMING, loginPollMs: 10 };

let weixin: WeixinEmulator;
let client: WeixinClient;
let token: string;
beforeAll(async () => {
  weixin = await startWeixinEmulator();
});
afterAll(() => weixin.stop());

beforeEach(async () => {
  await weixin.reset();
  const ended = logIn({
    ...{ loginBaseUrl: weixin.url, routeTag: undefined, knownToken: undefined, timing: QUICK, signal: NEVER },
    takeCode: () => undefined,
    report: ({ step }) => {
      if (step === 'scan') void weixin.scan().then(() => weixin.confirm('owner@im.wechat'));
    },
  });
  const end = await ended;
  if (end.kind !== 'confirmed') throw new Error(`The login ended as ${end.kind}`);
  client = createClient({ baseUrl: end.login.baseUrl, botToken: end.login.botToken, routeTag: undefined });
  await weixin.say(ADA, 'hello');
  const { msgs } = await client.post('getupdates', { get_updates_buf: '' }, { timeoutMs: 5_000, signal: NEVER });
  token = (msgs as { context_token: string }[])[0]?.context_token ?? '';
});

const send = (window: { openedAt?: number; expiresAt?: number; sendsLeft?: number } | undefined = {}) =>
  sendPart(
    client,
    {
      ...{ id: 'msg_1_a', accountId: 'default', chatId: ADA, text: '**hello**' },
      window: { token, sendsLeft: 5, openedAt: Date.now(), expiresAt: Date.now() + HOUR_MS, ...window },
    },
    NEVER,
  );

it('a text goes without marks, with the token of the last message, and its id keeps all digits', async () => {
  const { remoteId } = await send();
  expect(remoteId).toMatch(/^\d{19}$/);
  expect(await weixin.seen(ADA)).toMatchObject([{ text: 'hello', clientId: 'msg_1_a', messageId: remoteId }]);
});

it('nothing is sent to who never wrote', async () => {
  const message = { id: 'm', accountId: 'default', chatId: 'eve@im.wechat', text: 'x' };
  await expect(sendPart(client, message, NEVER)).rejects.toThrow(WindowClosed);
});

describe('-2', () => {
  it.each([
    [{ sendsLeft: 1 }, 'ten messages were sent'],
    [{ expiresAt: 0 }, 'more than 23 hours ago'],
    [{}, '5 messages were left'],
  ])('is explained by age and count, whatever its text (WX-3): %j', async (window, text) => {
    await weixin.closeWindow(ADA);
    await expect(send(window)).rejects.toThrow(WindowClosed);
    await expect(send(window)).rejects.toThrow(text);
  });
});

describe('a failure', () => {
  it.each([
    [{ action: 'status', status: 200, code: '-14' }, Unreachable],
    [{ action: 'status', status: 200, code: '-1' }, Rejected],
    [{ action: 'status', status: 503 }, Unknown],
    [{ action: 'status', status: 429 }, RateLimited],
    [{ action: 'status', status: 403 }, Rejected],
    [{ action: 'drop-after' }, Unknown],
    [{ action: 'malformed-json' }, Unknown],
  ] as const)('%j has its meaning', async (fault, kind) => {
    await weixin.addFault({ match: { method: 'sendmessage' }, ...fault });
    await expect(send()).rejects.toBeInstanceOf(kind);
  });

  it('to connect is known not to have happened', async () => {
    client = createClient({ baseUrl: `http://127.0.0.1:${await closedPort()}`, botToken: 'x', routeTag: undefined });
    await expect(send()).rejects.toBeInstanceOf(Unreachable);
  });
});
