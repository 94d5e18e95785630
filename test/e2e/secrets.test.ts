import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { findProcesses, readCommandLines } from './processes.ts';
import { type Bot, startWorld, type World } from './world.ts';

const GATEWAY_TOKEN = 'canary-gateway-token-0123456789abcdef';
const PROVIDER_KEY = 'sk-canary-provider-key-0123456789abcdef';
const HEADER_VALUE = 'canary-header-value-0123456789abcdef';
const PRESENTED = 'canary-of-a-caller-who-guesses-0123456789';

let world: World;
let bot: Bot;
let gateway: Gateway;
/** Everything that anybody was told, by where. */
const told = new Map<string, string>();

beforeAll(async () => {
  world = await startWorld();
  bot = await world.createBot();
  await world.llm.configure({ apiKey: PROVIDER_KEY });
  const { llm } = world;
  const config = world.configure(
    bot,
    {},
    {
      gateway: { auth: { token: GATEWAY_TOKEN } },
      providers: {
        emulated: { baseUrl: `${llm.url}/v1`, apiKey: PROVIDER_KEY, headers: { 'X-Team': HEADER_VALUE } },
        refused: { baseUrl: `${llm.url}/v1`, apiKey: `${PROVIDER_KEY}-which-is-wrong` },
        gone: { baseUrl: 'http://127.0.0.1:9/v1', apiKey: PROVIDER_KEY },
      },
    },
  );
  gateway = await startGateway({ config, env: { XOPC_LOG_LEVEL: 'debug' } });
  await useEverything();
}, 60_000);
afterAll(async () => {
  await stopAll();
  await world.stop();
});

const secrets = (): string[] => [GATEWAY_TOKEN, PROVIDER_KEY, HEADER_VALUE, bot.token, PRESENTED];

describe('no secret is told, not even at log level debug', () => {
  it('the log has debug lines to look at', () => {
    expect(gateway.home.readLog()).toContain('"level":20');
  });

  it.each(['log', 'stdout', 'stderr', 'events', 'answers', 'chat', 'status', 'command lines', 'lock'])(
    'by: %s',
    (place) => {
      const text = told.get(place) ?? '';
      expect(text.length).toBeGreaterThan(place === 'stderr' ? -1 : 10);
      const found = secrets().flatMap((secret) => formsOf(secret).filter((form) => text.includes(form)));
      expect(found).toEqual([]);
    },
  );
});

/** Walks the good and the bad ways of channel, model and API, and writes down what comes out. */
async function useEverything(): Promise<void> {
  const stream = await gateway.events();
  const answers = await askApi();
  await useTelegram();
  const previous = gateway.workerPid();
  gateway.signal('SIGUSR2');
  gateway.signal('SIGUSR1');
  const second = await gateway.nextWorker(previous);
  await gateway.kill('worker');
  await gateway.nextWorker(second);
  const { texts } = bot;
  told.set('chat', (await texts(71, 3)).join('\n'));
  told.set('answers', answers.join('\n'));
  told.set('events', JSON.stringify(stream.events));
  told.set('status', await readStatus());
  told.set('command lines', readCommandLines(findProcesses(gateway.home.path)).join('\n'));
  told.set('lock', JSON.stringify(gateway.home.readLock()));
  told.set('log', gateway.home.readLog());
  told.set('stdout', gateway.stdout());
  told.set('stderr', gateway.stderr());
}

async function askApi(): Promise<string[]> {
  const answers: string[] = [];
  for (const model of ['emulated/emu-small', 'refused/x', 'gone/x', 'nobody/x']) {
    const { text } = await gateway.request('/api/agent', { method: 'POST', body: { message: 'hello', model } });
    answers.push(text);
  }
  answers.push((await gateway.request('/api/sessions', { token: PRESENTED })).text);
  answers.push((await gateway.request('/api/sessions', { headers: { 'X-Api-Key': PRESENTED }, token: null })).text);
  const list = await gateway.request('/api/sessions');
  for (const { key } of list.body['items'] as { key: string }[])
    answers.push((await gateway.request(`/api/sessions/${key}`)).text);
  for (const path of ['/api/health', '/health', '/api/pairings', '/api/message/none'])
    answers.push((await gateway.request(path)).text);
  return answers;
}

async function useTelegram(): Promise<void> {
  const { telegram } = world;
  const match = { token: bot.token, method: 'sendMessage' };
  await bot.say(71, 'hello');
  await bot.texts(71, 1);
  // Errors of the transport carry the address, and the address the token.
  await telegram.addFault({ match: { ...match, method: 'getUpdates' }, action: 'drop-before', times: 2 });
  await telegram.addFault({ match, action: 'drop-after' });
  await telegram.addFault({ match, action: 'status', status: 502, html: true });
  await bot.say(71, 'and again');
  await eventually('the repeated answer', async () => (await bot.answers(71)).length >= 3, 20_000);
  const sent = { channel: 'telegram', chat_id: '404', content: 'to nobody' };
  await gateway.request('/api/message', { method: 'POST', body: sent });
  await eventually('the refusal', () => gateway.home.readLog().includes('A message was given up'));
}

async function readStatus(): Promise<string> {
  const shown = await Promise.all(
    [['status'], ['status', '--json'], ['token'], ['pairing', 'list']].map((args) =>
      runXopc(gateway.home, ['gateway', ...args]),
    ),
  );
  return shown.map(({ stdout, stderr }) => stdout + stderr).join('\n');
}

function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, encodeURIComponent(secret), base64];
}
