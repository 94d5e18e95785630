import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConfigInput } from '../../../lib/config/schema.ts';
import { signStandard } from '../../../lib/webhook-signature.ts';
import { resolveWebhookAccounts } from '../../../worker/channels/webhook/accounts.ts';
import { createWebhookChannel } from '../../../worker/channels/webhook/index.ts';
import { createConfig } from '../assembled-gateway.ts';
import { type Answer, type Served, serveApp } from '../served-app.ts';

const SECRET = `whsec_${Buffer.from('a secret of the sender').toString('base64')}`;
const PLAIN = 'a secret of sixteen';
const KIBIBYTE = 1_024;

type Input = NonNullable<NonNullable<ConfigInput['channels']>['webhook']>;

let served: Served;

async function serve(webhook: Input): Promise<Served> {
  const config: ConfigInput = {
    agents: { defaults: { model: 'scripted/model' } },
    channels: { webhook: { enabled: true, ...webhook } },
  };
  const accounts = resolveWebhookAccounts(createConfig(config).channels.webhook);
  return serveApp({ config, plugins: [createWebhookChannel(accounts)] });
}

const STRANGER = { authorization: '' };
const eventOf = (content: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ event: 'message', data: { chat_id: 'room', sender_id: 'ada', content, ...more } });

let next = 0;
function pushSigned(body: string, id?: string, timeMs = Date.now()): Promise<Answer> {
  next += 1;
  const headers = signStandard(SECRET, { id: id ?? `evt_${next}`, timeMs, body: Buffer.from(body) });
  return served.call('POST', '/api/webhook/webhook', body, { ...STRANGER, ...headers });
}

const received = (): unknown[] =>
  served.seen
    .filter(({ type }) => type === 'message.received')
    .map(({ data }) => (data as { content: string }).content);

describe('a signed webhook', () => {
  beforeEach(async () => {
    served = await serve({ scheme: 'standard', secrets: [SECRET] });
  });

  it('is a message of the channel, and the agent is asked', async () => {
    const answer = await pushSigned(eventOf('hello', { chat_id: 17 }), 'evt_first');
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok', message_id: 'evt_first' } });
    await vi.waitFor(() => expect(served.seen.map(({ type }) => type)).toContain('message.sent'));
    expect(served.seen.find(({ type }) => type === 'message.sent')?.data).toMatchObject({
      channel: 'webhook',
      chat_id: '17',
    });
  });

  it('that comes again is answered as the first time and asks nothing; another one under its id is refused', async () => {
    const body = eventOf('once');
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => pushSigned(body, 'evt_same')));
    for (const other of others) expect(other.body).toEqual(first?.body);
    const again = await pushSigned(body, 'evt_same');
    expect(again.headers.get('x-idempotent-replay')).toBe('true');
    expect(received()).toEqual(['once']);
    expect(await pushSigned(eventOf('other'), 'evt_same')).toMatchObject({
      status: 409,
      body: { error: { code: 'CONFLICT' } },
    });
    expect(received()).toEqual(['once']);
  });

  it('that comes again with its signature written another way is no other one', async () => {
    const body = eventOf('replayed');
    const headers = signStandard(SECRET, { id: 'evt_replay', timeMs: Date.now(), body: Buffer.from(body) });
    const { 'webhook-signature': signature = '' } = headers;
    for (const written of [
      signature,
      `v1,AAAA ${signature}`,
      `${signature} ${signature}`,
      signature.replace(/=+$/, ''),
    ])
      await served.call('POST', '/api/webhook/webhook', body, {
        ...{ ...STRANGER, ...headers },
        'webhook-signature': written,
      });
    expect(received()).toEqual(['replayed']);
  });

  it('that is old, forged, or says no secret of ours is refused', async () => {
    const body = eventOf('forged');
    expect((await pushSigned(body, undefined, Date.now() - 301_000)).status).toBe(401);
    const headers = signStandard(SECRET, { id: 'evt_x', timeMs: Date.now(), body: Buffer.from(body) });
    const call = (text: string, more: Record<string, string>) =>
      served.call('POST', '/api/webhook/webhook', text, { ...STRANGER, ...headers, ...more });
    expect((await call(body.replace('forged', 'f0rged'), {})).status).toBe(401);
    expect((await call(body, { 'webhook-id': 'evt_y' })).status).toBe(401);
    expect((await call(body, { 'webhook-signature': 'v1,AAAA' })).status).toBe(401);
    expect((await served.call('POST', '/api/webhook/webhook', body, STRANGER)).status).toBe(401);
    expect((await served.call('POST', '/api/webhook/webhook', body, { authorization: 'Bearer guess' })).status).toBe(
      401,
    );
    expect(received()).toEqual([]);
  });

  it('is verified before it is parsed, and what is wrong with it is told its sender only', async () => {
    const forged = { ...STRANGER, 'webhook-id': 'evt_z', 'webhook-timestamp': String(Math.floor(Date.now() / 1_000)) };
    const signature = `v1,${Buffer.alloc(32).toString('base64')}`;
    const answer = await served.call('POST', '/api/webhook/webhook', '{', {
      ...forged,
      'webhook-signature': signature,
    });
    expect(answer.status).toBe(401);
    for (const body of [
      '{',
      '[]',
      '"x"',
      '{"event":"message"}',
      '{"event":"message","data":{"chat_id":"1"}}',
      '\u0000',
    ])
      expect(await pushSigned(body), body).toMatchObject({ status: 400, body: { error: { code: 'INVALID_REQUEST' } } });
    expect((await pushSigned(`${'[1,'.repeat(40)}1${']'.repeat(40)}`)).status).toBe(400);
    expect(
      (await pushSigned('{"event":"message","data":{"__proto__":{"x":1},"chat_id":"1","content":"x"}}')).status,
    ).toBe(400);
  });

  it('of another event is none of ours', async () => {
    const answer = await pushSigned('{"event":"ping","data":{}}');
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'ignored', reason: expect.stringContaining('"ping"') },
    });
  });

  it('has at most 256 KiB', async () => {
    const fits = eventOf('x'.repeat(190 * KIBIBYTE), { pad: 'y'.repeat(60 * KIBIBYTE) });
    expect((await pushSigned(fits)).status).toBe(200);
    expect((await pushSigned(eventOf('x'.repeat(300 * KIBIBYTE)))).status).toBe(413);
  });
});

describe('hostile senders', () => {
  const head = 'POST /api/webhook/webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const claim = (): string =>
    `webhook-id: evt_1\r\nwebhook-timestamp: ${Math.floor(Date.now() / 1_000)}\r\nwebhook-signature: v1,${Buffer.alloc(32).toString('base64')}\r\n`;
  beforeEach(async () => {
    served = await serve({ scheme: 'standard', secrets: [SECRET] });
  });

  it('who announce ten megabytes (CVE-2026-28478) are refused before any of it is read', async () => {
    expect(await served.raw(`${head}${claim()}Content-Length: 10485760\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('who send without end are cut off at the limit', async () => {
    const chunk = `${(200 * KIBIBYTE).toString(16)}\r\n${' '.repeat(200 * KIBIBYTE)}\r\n`;
    expect(await served.raw(`${head}${claim()}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`)).toMatch(
      /^HTTP\/1\.1 413 /,
    );
  });

  it('whose headers prove nothing are refused without a look at the body (CVE-2026-41405), however slow it is', async () => {
    expect(await served.raw(`${head}webhook-signature: v1,x\r\nContent-Length: 1000\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 401 /,
    );
    expect(await served.raw(`${head}Content-Length: 1000\r\n\r\n`)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('who keep many bodies open (CVE-2026-10224) find the door shut, while the owner passes', async () => {
    const open = Array.from({ length: 64 }, () => served.raw(`${head}${claim()}Content-Length: 1000\r\n\r\n{`));
    await vi.waitFor(async () => expect((await pushSigned(eventOf('x'))).status).toBe(503));
    expect((await served.call('POST', '/api/webhook/webhook', eventOf('mine'))).status).toBe(200);
    await Promise.all(open);
    expect((await pushSigned(eventOf('x'))).status).toBe(200);
  });
});

describe('a caller with the credential', () => {
  beforeEach(async () => {
    served = await serve({});
  });

  it('brings messages without a signature, each one new unless it says otherwise', async () => {
    const push = (more: Record<string, string> = {}) =>
      served.call('POST', '/api/webhook/webhook', eventOf('hi'), more);
    expect(await push()).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect((await push()).headers.get('x-idempotent-replay')).toBeNull();
    expect((await push({ 'idempotency-key': 'k' })).headers.get('x-idempotent-replay')).toBeNull();
    expect((await push({ 'idempotency-key': 'k' })).headers.get('x-idempotent-replay')).toBe('true');
    expect(received()).toHaveLength(3);
  });

  it('is needed where no sender can sign (HOOK-1, CVE-2026-26319)', async () => {
    expect((await served.call('POST', '/api/webhook/webhook', eventOf('hi'), STRANGER)).status).toBe(404);
    expect((await served.call('POST', '/api/webhook/webhook/other', eventOf('hi'), STRANGER)).status).toBe(404);
  });
});

it('the body of a service becomes a message by its template', async () => {
  const message = {
    chatId: '{{repository.full_name}}',
    senderId: '{{sender.login}}',
    content: '{{action}}: {{issue.title}}',
  };
  served = await serve({ accounts: { repo: { scheme: 'github', secrets: [PLAIN], message } } });
  const body = JSON.stringify({
    action: 'opened',
    issue: { title: 'It breaks' },
    repository: { full_name: 'a/b' },
    sender: { login: 'ada' },
  });
  const signature = `sha256=${createHmac('sha256', PLAIN).update(body).digest('hex')}`;
  const push = (delivery: string) =>
    served.call('POST', '/api/webhook/webhook/repo', body, {
      ...STRANGER,
      'x-hub-signature-256': signature,
      'x-github-delivery': delivery,
    });
  expect(await push('1')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(served.seen.find(({ type }) => type === 'message.received')?.data).toMatchObject({
    chat_id: 'a/b',
    sender_id: 'ada',
    content: 'opened: It breaks',
  });
  // The id of the delivery is not signed: to replay a body under another one starts no second turn.
  expect((await push('2')).headers.get('x-idempotent-replay')).toBe('true');
});

it('Slack is answered its challenge, but only when it is signed', async () => {
  served = await serve({ scheme: 'slack', secrets: [PLAIN] });
  const body = JSON.stringify({ type: 'url_verification', challenge: 'abc', token: 'x' });
  const time = String(Math.floor(Date.now() / 1_000));
  const push = (secret: string) =>
    served.call('POST', '/api/webhook/webhook', body, {
      ...STRANGER,
      'x-slack-request-timestamp': time,
      'x-slack-signature': `v0=${createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex')}`,
    });
  expect((await push('a guess of sixteen')).status).toBe(401);
  expect(await push(PLAIN)).toMatchObject({ status: 200, body: { challenge: 'abc' } });
});
