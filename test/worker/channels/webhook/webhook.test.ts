import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../../../lib/config/schema.ts';
import { isSignedBy, readSignature } from '../../../../lib/webhook-signature.ts';
import { RateLimited, Rejected } from '../../../../worker/channels/plugin.ts';
import { resolveWebhookAccounts } from '../../../../worker/channels/webhook/accounts.ts';
import { createWebhookChannel } from '../../../../worker/channels/webhook/index.ts';
import { type FileServer, startFileServer } from '../../../fixtures/file-server.ts';
import { createConfig } from '../../assembled-gateway.ts';
import { createRecordingLog } from '../../recording-log.ts';

const SECRET = `whsec_${Buffer.from('what answers are signed with').toString('base64')}`;
const NEVER = new AbortController().signal;

let server: FileServer;
let bodies: string[];
let answers: { status: number; headers?: Record<string, string> }[];
beforeEach(async () => {
  bodies = [];
  answers = [];
  server = await startFileServer(async (request, response) => {
    bodies.push(await text(request));
    const { status, headers = {} } = answers.shift() ?? { status: 204 };
    if (status === 0) response.destroy();
    else response.writeHead(status, headers).end();
  });
});
afterEach(() => server.close());

type Input = NonNullable<NonNullable<ConfigInput['channels']>['webhook']>;

function open(input: Input = {}) {
  const { channels } = createConfig({
    channels: {
      webhook: {
        enabled: true,
        callbackUrl: `${server.url}/answers?key=canary`,
        callbackSecret: SECRET,
        callbackHosts: [server.host],
        ...input,
      },
    },
  });
  const channel = createWebhookChannel(resolveWebhookAccounts(channels.webhook), [10, 20]);
  const { log, entries } = createRecordingLog();
  channel.init({ log, receive: async () => undefined, readCursor: async () => undefined, onStatus: () => undefined });
  const send = (more = {}) =>
    channel.send({ id: 'msg_1_abc', accountId: 'default', chatId: 'room', text: 'hello', ...more }, NEVER);
  return { channel, send, entries, state: () => channel.status()[0] };
}

describe('an answer', () => {
  it('is posted with a signature that its receiver can check', async () => {
    const { send } = open();
    expect(await send({ replyTo: '7' })).toEqual({ remoteId: 'msg_1_abc' });
    const [request] = server.requests;
    const claim = readSignature('standard', (name) => request?.headers[name]?.toString());
    expect(claim).toMatchObject({ id: 'msg_1_abc' });
    if ('problem' in claim) throw new Error(claim.problem);
    expect(isSignedBy(claim, [SECRET], Buffer.from(bodies[0] ?? ''))).toBe(true);
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({
      event: 'message',
      data: { message_id: 'msg_1_abc', account_id: 'default', chat_id: 'room', content: 'hello', reply_to: '7' },
    });
    expect(request?.method).toBe('POST');
  });

  it('without a callback is delivered when it is committed', async () => {
    const { channels } = createConfig({ channels: { webhook: { enabled: true } } });
    const channel = createWebhookChannel(resolveWebhookAccounts(channels.webhook));
    const { log, entries } = createRecordingLog();
    channel.init({ log, receive: async () => undefined, readCursor: async () => undefined, onStatus: () => undefined });
    await channel.start();
    expect(await channel.send({ id: 'm', accountId: 'default', chatId: 'c', text: 't' }, NEVER)).toEqual({
      remoteId: 'm',
    });
    expect(entries.map(({ message }) => message).join()).toContain('no scheme and secrets');
  });
});

describe('a receiver that fails', () => {
  it.each([500, 503, 429, 404, 401, 302, 0])(
    'with %i is asked again later, each time a longer while',
    async (status) => {
      const { send, state } = open();
      answers = [{ status }, { status }, { status }];
      const waits: number[] = [];
      for (let round = 0; round < 3; round += 1)
        await send().catch((error: unknown) => error instanceof RateLimited && waits.push(error.retryAfterMs));
      expect(waits).toEqual([10, 20, 20]);
      expect(state()?.state).toBe('degraded');
      expect(state()?.lastError).not.toContain('canary');
      expect(await send()).toEqual({ remoteId: 'msg_1_abc' });
      expect(state()?.state).toBe('up');
      expect(new Set(server.requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['msg_1_abc']));
    },
  );

  it('and says when is asked again then', async () => {
    const { send } = open();
    answers = [{ status: 503, headers: { 'retry-after': '7' } }];
    await expect(send()).rejects.toMatchObject({ retryAfterMs: 7_000 });
  });

  it('and takes no such message is not asked again', async () => {
    const { send } = open();
    answers = [{ status: 422 }];
    await expect(send()).rejects.toThrow(Rejected);
    expect(await send({ id: 'msg_2_abc' })).toEqual({ remoteId: 'msg_2_abc' });
  });

  it('and is gone is asked nothing any more', async () => {
    const { send, state } = open();
    answers = [{ status: 410 }];
    await expect(send()).rejects.toThrow(Rejected);
    await expect(send()).rejects.toThrow('410');
    expect(server.requests).toHaveLength(1);
    expect(state()).toMatchObject({ state: 'down', lastError: expect.stringContaining('410') });
  });
});

it('our own network is not called unless its host is named', async () => {
  const { send } = open({ callbackHosts: [] });
  await expect(send()).rejects.toThrow('not among channels.webhook.callbackHosts');
  await expect(send()).rejects.toThrow(Rejected);
  expect(server.requests).toEqual([]);
});
