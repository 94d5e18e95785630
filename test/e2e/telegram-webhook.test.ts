import { readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { closedPort } from '../worker/agent/providers/closed-port.ts';
import { eventually } from './eventually.ts';
import { type Gateway, startGateway, stopAll } from './gateway.ts';
import { sendRequest } from './http.ts';
import { type Bot, startWorld, type World } from './world.ts';

let world: World;
let bot: Bot;
let gateway: Gateway;
let path: string;

beforeAll(async () => {
  world = await startWorld();
  bot = await world.createBot();
  const port = await closedPort();
  const config = world.configure(bot, { webhookUrl: `http://127.0.0.1:${port}` }, { gateway: { port } });
  gateway = await startGateway({ config });
  path = '/api/webhook/telegram/default';
  await webhookIsSet();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});
beforeEach(async () => {
  // Telegram takes one setWebhook a second.
  await world.telegram.advanceClock(1_001);
});

const secretFile = (): string => join(gateway.home.stateDir, 'credentials', 'telegram-webhook-default');
const readSecret = (): string => readFileSync(secretFile(), 'utf8').trim();

function webhookIsSet(): Promise<unknown> {
  return eventually('the state "up"', async () => {
    const { body } = await gateway.request('/api/channels');
    return JSON.stringify(body).includes('"account_id":"default","state":"up"');
  });
}

/** Delivers an update as Telegram does. */
async function push(update: unknown): Promise<number> {
  const headers = { 'X-Telegram-Bot-Api-Secret-Token': readSecret() };
  return (await sendRequest(`${gateway.url}${path}`, { method: 'POST', headers, body: update })).status;
}

const updateOf = (id: number, chat: number, text: string): unknown => ({
  update_id: id,
  message: {
    ...{ message_id: id, date: Math.floor(Date.now() / 1_000), text },
    chat: { id: chat, type: 'private' },
    from: { id: chat, is_bot: false, first_name: 'Ada' },
  },
});

it('a message is pushed in and its answer comes out, and nothing is polled for', async () => {
  await bot.say(11, 'hello');
  expect(await bot.texts(11, 1)).toEqual(['echo: hello']);
  expect(await world.telegram.calls({ token: bot.token, method: 'getUpdates' })).toEqual([]);
  expect(await world.telegram.pendingUpdates(bot.token)).toEqual([]);
});

it('the secret was made by the gateway, is kept for its owner only, and is in no log', async () => {
  const secret = readSecret();
  expect(secret).toMatch(/^[0-9a-f]{48}$/);
  expect(statSync(secretFile()).mode & 0o777).toBe(0o600);
  expect(gateway.home.readLog()).not.toContain(secret);
});

it('who has another secret is refused before the body is read, and starts no turn', async () => {
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: bot.example',
    'Content-Type: application/json',
    'X-Telegram-Bot-Api-Secret-Token: a-guess-0123456789',
    'Content-Length: 100000',
  ];
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(gateway.port, '127.0.0.1', () => socket.write(`${head.join('\r\n')}\r\n\r\n`));
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  expect(await sendRequest(`${gateway.url}${path}`, { method: 'POST', body: updateOf(1, 12, 'forged') })).toMatchObject(
    {
      status: 401,
    },
  );
  expect((await sendRequest(`${gateway.url}/api/webhook/telegram/other`, { method: 'POST', body: {} })).status).toBe(
    404,
  );
  await bot.say(11, 'still there?');
  await bot.texts(11, 2);
  expect(await bot.answers(12)).toEqual([]);
});

it('a message whose worker is killed is answered once, although it is delivered again', async () => {
  const update = updateOf(900_001, 13, '[[delay=1000]] once');
  await bot.say(13, 'first');
  await bot.texts(13, 1);
  expect(await push(update)).toBe(200);
  const previous = gateway.workerPid();
  await gateway.kill('worker');
  await gateway.nextWorker(previous);
  await Promise.all([push(update), push(update)]);
  expect(await bot.texts(13, 2)).toEqual(['echo: first', 'echo: once']);
  expect(await push(update)).toBe(200);
  await bot.say(13, 'last');
  expect(await bot.texts(13, 3)).toEqual(['echo: first', 'echo: once', 'echo: last']);
});

it('what is pushed while a worker is killed is delivered again by Telegram, and answered once', async () => {
  const chats = Array.from({ length: 12 }, (_none, index) => 200 + index);
  const previous = gateway.workerPid();
  const said = chats.map((chat) => bot.say(chat, `[[delay=800]] to ${chat}`));
  await gateway.kill('worker');
  await Promise.all(said);
  await gateway.nextWorker(previous);
  for (const chat of chats) expect(await bot.texts(chat, 1, 20_000)).toEqual([`echo: to ${chat}`]);
  await eventually('confirmed updates', async () => (await world.telegram.pendingUpdates(bot.token)).length === 0);
  for (const chat of chats) expect(await bot.answers(chat)).toHaveLength(1);
});

it('a restart in the middle loses nothing, doubles nothing and keeps the order', async () => {
  const previous = gateway.workerPid();
  const words = Array.from({ length: 20 }, (_none, index) => `word ${index}`);
  gateway.signal('SIGUSR1');
  for (const word of words) {
    await bot.say(14, word);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await gateway.nextWorker(previous);
  expect(await bot.texts(14, words.length, 20_000)).toEqual(words.map((word) => `echo: ${word}`));
  await webhookIsSet();
});
