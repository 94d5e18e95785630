import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isSignedBy, readSignature, signStandard } from '../../lib/webhook-signature.ts';
import { type FileServer, startFileServer } from '../fixtures/file-server.ts';
import { eventually } from './eventually.ts';
import { type Gateway, startGateway, stopAll } from './gateway.ts';
import { type HttpReply, sendRequest } from './http.ts';
import { startWorld, type World } from './world.ts';

const SENDER = `whsec_${Buffer.from('canary of those who push').toString('base64')}`;
const ANSWERS = `whsec_${Buffer.from('canary of those who listen').toString('base64')}`;

type Callback = { id: string; content: string; chat: string };

let world: World;
let receiver: FileServer;
let gateway: Gateway;
const callbacks: Callback[] = [];
/** Answers of the receiver to come; without one it takes what it is told. */
const plan: ('hold' | number)[] = [];

beforeAll(async () => {
  world = await startWorld();
  receiver = await startFileServer(async (request, response) => {
    const body = await text(request);
    const claim = readSignature('standard', (name) => request.headers[name]?.toString());
    if ('problem' in claim || !isSignedBy(claim, [ANSWERS], Buffer.from(body))) return response.writeHead(400).end();
    const { data } = JSON.parse(body);
    callbacks.push({ id: claim.id ?? '', content: data.content, chat: data.chat_id });
    const step = plan.shift() ?? 204;
    if (step !== 'hold') response.writeHead(step).end();
    return undefined;
  });
  const config = world.configure(undefined, undefined, {
    channels: {
      webhook: {
        enabled: true,
        scheme: 'standard',
        secrets: [SENDER],
        callbackUrl: `${receiver.url}/answers`,
        callbackSecret: ANSWERS,
        callbackHosts: [receiver.host],
      },
    },
  });
  gateway = await startGateway({ config });
});
afterAll(async () => {
  await stopAll();
  receiver.close();
  await world.stop();
});

function push(id: string, chat: string, content: string): Promise<HttpReply> {
  const body = { event: 'message', data: { chat_id: chat, content } };
  const headers = signStandard(SENDER, { id, timeMs: Date.now(), body: Buffer.from(JSON.stringify(body)) });
  return sendRequest(`${gateway.url}/api/webhook/webhook`, { method: 'POST', headers, body });
}

const told = (chat: string): string[] => callbacks.filter((one) => one.chat === chat).map(({ content }) => content);

it('a program pushes a message and is told the answer', async () => {
  expect(await push('evt_1', 'plain', 'hello')).toMatchObject({
    status: 200,
    body: { status: 'ok', message_id: 'evt_1' },
  });
  await eventually('the answer', () => told('plain').length > 0);
  expect(told('plain')).toEqual(['echo: hello']);
});

it('a message whose worker is killed is answered once, although it is pushed again', async () => {
  expect((await push('evt_2', 'killed', '[[delay=1000]] once')).status).toBe(200);
  const previous = gateway.workerPid();
  await gateway.kill('worker');
  await gateway.nextWorker(previous);
  const again = await push('evt_2', 'killed', '[[delay=1000]] once');
  expect(again).toMatchObject({ status: 200, headers: { 'x-idempotent-replay': 'true' } });
  await eventually('the answer', () => told('killed').length > 0);
  expect((await push('evt_3', 'killed', 'last')).status).toBe(200);
  await eventually('the last answer', () => told('killed').length > 1);
  expect(told('killed')).toEqual(['echo: once', 'echo: last']);
});

it('an answer whose worker is killed while it is posted is posted again under the same id', async () => {
  plan.push('hold');
  await push('evt_4', 'held', 'hello');
  await eventually('the first callback', () => told('held').length === 1);
  const previous = gateway.workerPid();
  await gateway.kill('worker');
  await gateway.nextWorker(previous);
  await eventually('the second callback', () => told('held').length === 2);
  const both = callbacks.filter(({ chat }) => chat === 'held');
  expect(both[0]).toEqual(both[1]);
});

it('an answer is posted again when its receiver was out of order', async () => {
  plan.push(503);
  await push('evt_5', 'broken', 'hello');
  await eventually('the second callback', () => told('broken').length === 2, 15_000);
  await eventually('the state "sent"', async () => {
    const { body } = await gateway.request('/api/outbox?channel=webhook&chat_id=broken');
    return JSON.stringify(body).includes('"state":"sent"');
  });
});

it('a storm of forged requests is refused, and no secret is in the log', async () => {
  const before = told('plain').length;
  const forged = await Promise.all(
    Array.from({ length: 60 }, (_none, index) => {
      const headers = {
        'webhook-id': `evt_f${index}`,
        'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
        'webhook-signature': `v1,${Buffer.alloc(32, index).toString('base64')}`,
      };
      const body = { event: 'message', data: { chat_id: 'plain', content: 'x'.repeat(100_000) } };
      return sendRequest(`${gateway.url}/api/webhook/webhook`, { method: 'POST', headers, body });
    }),
  );
  expect(new Set(forged.map(({ status }) => status))).toEqual(new Set([401]));
  await push('evt_6', 'plain', 'still there?');
  await eventually('the answer', () => told('plain').length > before);
  expect(told('plain').slice(before)).toEqual(['echo: still there?']);
  expect(gateway.home.readLog()).not.toContain(SENDER);
  expect(gateway.home.readLog()).not.toContain(ANSWERS);
});

it('a caller with the credential pushes to a channel that has a platform of its own', async () => {
  const body = { event: 'message', data: { chat_id: 'desk', content: 'hello' } };
  const answer = await gateway.request('/api/webhook/webchat', { method: 'POST', body });
  expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
  const strange = await gateway.request('/api/webhook/webchat', { method: 'POST', body, token: null });
  expect(strange.status).toBe(404);
});
