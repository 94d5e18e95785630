import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildConfigJsonSchema } from '../../lib/config/json-schema.ts';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { startWeixinEmulator, type WeixinEmulator } from '../emulators/start.ts';
import { startProxy, type TestProxy } from '../fixtures/http-proxy.ts';
import { createCanaries, findCanaries, isFilled, listSecretSlots } from './canaries.ts';
import { eventually } from './eventually.ts';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { findProcesses, readCommandLines } from './processes.ts';
import { type Bot, startWorld, type World } from './world.ts';

const { plant, all: canaries } = createCanaries();
const standard = (name: string): string => `whsec_${Buffer.from(plant(name)).toString('base64')}`;

const OWNER = plant('gateway-token');
const WRITER = plant('named-token');
const PASSWORD = plant('password');
/** What a caller presents who guesses. */
const GUESS = plant('guess');
const KEY = plant('provider-key');
const PROXY = `xopc:${plant('proxy-password')}`;

let world: World;
let weixin: WeixinEmulator;
let proxy: TestProxy;
let bot: Bot;
let gateway: Gateway;
let closed: Gateway;
let config: ConfigInput;
/** Everything that anybody was told, by where. */
const told = new Map<string, string>();

beforeAll(async () => {
  [world, weixin, proxy] = await Promise.all([startWorld(), startWeixinEmulator(), startProxy({ credentials: PROXY })]);
  const bots = await Promise.all([world.createBot(), world.createBot(), world.createBot(), world.createBot()]);
  canaries.push(...bots.map(({ token }) => token));
  [bot] = bots;
  await world.llm.configure({ apiKey: KEY });
  config = fillEverySlot(bots.map(({ token }) => token));
  const env = {
    XOPC_LOG_LEVEL: 'debug',
    ANTHROPIC_API_KEY: plant('key-of-the-environment'),
    CANARY: plant('variable'),
  };
  gateway = await startGateway({ config, env });
  const auth = { mode: 'password' as const, password: PASSWORD, rateLimit: { enabled: false } };
  closed = await startGateway({ config: { gateway: { auth } }, env });
  await useEverything();
}, 90_000);
afterAll(async () => {
  await stopAll();
  proxy?.stop();
  await Promise.all([world?.stop(), weixin?.stop()]);
});

describe('no secret is told, not even at log level debug', () => {
  it('every place of the configuration that takes one has one', () => {
    const slots = listSecretSlots(buildConfigJsonSchema());
    expect(slots.length).toBeGreaterThan(15);
    // The other gateway has it: both at once are refused.
    const missing = slots.filter((slot) => !isFilled(config, slot) && slot !== 'gateway.auth.password');
    expect(missing).toEqual([]);
  });

  it('the log has debug lines to look at, and the channels with secrets came up', () => {
    expect(gateway.home.readLog()).toContain('"level":20');
    expect(proxy.tunnels.map(({ isOpen }) => isOpen)).toContain(true);
    expect(proxy.tunnels.map(({ isOpen }) => isOpen)).toContain(false);
    expect(told.get('files')).toContain('crash-');
  });

  it.each(['files', 'stdout', 'stderr', 'events', 'answers', 'chat', 'commands', 'command lines'])(
    'by: %s',
    (place) => {
      const text = told.get(place) ?? '';
      expect(text.length).toBeGreaterThan(place === 'stderr' ? -1 : 10);
      expect(findCanaries(text, canaries)).toEqual([]);
    },
  );
});

function fillEverySlot([first = '', hooked = '', proxied = '', refused = '']: string[]): ConfigInput {
  const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
  canaries.push(hash(WRITER));
  const sender = (name: string) => ({ scheme: 'standard' as const, secrets: [standard(name)] });
  const callback = (name: string) => ({
    callbackUrl: 'http://127.0.0.1:9/answers',
    callbackSecret: standard(name),
    callbackHosts: ['127.0.0.1:9'],
  });
  const through = (credentials: string): string => `http://${credentials}@127.0.0.1:${proxy.port}`;
  const { providers, agents, channels } = world.configure({ ...bot, token: first });
  const { url } = world.llm;
  return {
    agents,
    gateway: {
      auth: {
        token: OWNER,
        tokens: [{ name: 'writer', hash: `sha256:${hash(WRITER)}`, scopes: ['operator.write'] }],
      },
    },
    providers: {
      ...providers,
      emulated: { baseUrl: `${url}/v1`, apiKey: KEY, headers: { 'X-Team': plant('header') } },
      refused: { baseUrl: `${url}/v1`, apiKey: plant('wrong-key') },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the gateway puts the variable in
      gone: { baseUrl: 'http://127.0.0.1:9/v1', apiKey: '${CANARY}' },
      inside: { baseUrl: `http://user:${plant('base-url')}@127.0.0.1:9/v1` },
      openai: plant('short-form'),
    },
    channels: {
      telegram: {
        ...channels?.telegram,
        webhookSecret: plant('webhook-secret'),
        webhook: sender('telegram-sender'),
        accounts: {
          default: { botToken: first },
          hooked: { botToken: hooked, webhookUrl: 'http://127.0.0.1:9', webhookSecret: plant('webhook-of-account') },
          proxied: { botToken: proxied, proxy: through(PROXY) },
          refused: { botToken: refused, proxy: through(`xopc:${plant('wrong-proxy-password')}`) },
        },
      },
      webhook: {
        enabled: true,
        ...sender('sender'),
        ...callback('callback'),
        accounts: { default: {}, other: { ...sender('other-sender'), callbackSecret: standard('other-callback') } },
      },
      weixin: {
        ...{ enabled: true, loginBaseUrl: weixin.url, allowFrom: ['*'], dmPolicy: 'open' },
        webhook: sender('weixin-sender'),
      },
      feishu: { appSecret: plant('app'), verificationToken: plant('verification'), encryptKey: plant('encrypt') },
    },
    mcp: { servers: { one: { env: { KEY: plant('mcp-env') }, headers: { 'X-Key': plant('mcp-header') } } } },
  };
}

/** Walks the good and the bad ways of channels, models, API and command line, and writes down what comes out. */
async function useEverything(): Promise<void> {
  const stream = await gateway.events();
  await useTelegram();
  await logInToWeixin();
  const answers = [...(await askAgents()), ...(await guess()), ...(await walkRoutes(gateway, OWNER))];
  const previous = gateway.workerPid();
  gateway.signal('SIGUSR2');
  gateway.signal('SIGUSR1');
  const second = await gateway.nextWorker(previous);
  await gateway.kill('worker');
  await gateway.nextWorker(second);
  answers.push(...(await walkRoutes(closed, PASSWORD)));
  told.set('chat', (await bot.texts(71, 3)).join('\n'));
  told.set('answers', answers.join('\n'));
  told.set('events', JSON.stringify(stream.events));
  told.set('commands', await runCommands());
  const homes = [gateway, closed].map(({ home }) => home);
  told.set('command lines', homes.flatMap(({ path }) => readCommandLines(findProcesses(path))).join('\n'));
  told.set('files', homes.map(({ stateDir }) => readState(stateDir)).join('\n'));
  told.set('stdout', gateway.stdout() + closed.stdout());
  told.set('stderr', gateway.stderr() + closed.stderr());
}

/** Every route that the document lists, with the example of its body and without, by the owner, a named token and nobody. */
async function walkRoutes({ request }: Gateway, owner: string): Promise<string[]> {
  type Operation = { requestBody?: { content: Record<string, { example?: unknown }> } };
  const { body } = await request('/api/openapi.json', { token: owner });
  const paths = Object.entries(body['paths'] as Record<string, Record<string, Operation>>);
  expect(paths.length).toBeGreaterThan(20);
  const answers: string[] = [];
  for (const [path, operations] of paths) {
    for (const [verb, { requestBody }] of Object.entries(operations)) {
      // It never ends, and is listened to by itself; the restart comes later.
      if (path === '/api/events' || path === '/api/restart') continue;
      const target = path.replace(/\{\w+\}/g, 'webhook');
      const example = requestBody?.content['application/json']?.example;
      const method = verb.toUpperCase();
      for (const token of [owner, WRITER, GUESS, null]) {
        const options = { method, token };
        answers.push((await request(target, options)).text);
        if (token === owner && path !== '/api/config')
          answers.push((await request(target, { ...options, body: example ?? { nonsense: true } })).text);
      }
    }
  }
  return answers;
}

async function askAgents(): Promise<string[]> {
  const answers: string[] = [];
  for (const model of ['emulated/emu-small', 'refused/x', 'gone/x', 'inside/x', 'nobody/x']) {
    const { text } = await gateway.request('/api/agent', { method: 'POST', body: { message: 'hello', model } });
    answers.push(text);
  }
  const list = await gateway.request('/api/sessions');
  for (const { key } of list.body['items'] as { key: string }[])
    answers.push((await gateway.request(`/api/sessions/${key}`)).text);
  return answers;
}

async function guess(): Promise<string[]> {
  const headers = { 'X-Api-Key': GUESS };
  const replies = [
    await gateway.request('/api/sessions', { token: GUESS }),
    await gateway.request('/api/sessions', { headers, token: null }),
    await gateway.request(`/api/sessions?token=${GUESS}`, { token: null }),
    await closed.request('/api/sessions', { token: PASSWORD }),
    await gateway.request('/api/webhook/webhook', { method: 'POST', headers, body: {} }),
  ];
  return replies.map(({ text }) => text);
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

async function logInToWeixin(): Promise<void> {
  const login = runXopc(gateway.home, ['gateway', 'login', 'weixin']);
  const isShown = ({ path }: { path: string }) => path.endsWith('/get_qrcode_status');
  await eventually('the QR code', async () => (await weixin.calls()).some(isShown));
  await weixin.scan();
  canaries.push((await weixin.confirm('owner@im.wechat')).token);
  expect((await login).code).toBe(0);
}

async function runCommands(): Promise<string> {
  const commands = [
    ...[['status'], ['status', '--json'], ['token'], ['pairing', 'list'], ['doctor'], ['doctor', '--json'], ['logs']],
    ...[
      ['config', 'get'],
      ['config', 'get', '--json'],
      ['config', 'get', 'channels'],
    ],
  ];
  const ended = await Promise.all(commands.map((args) => runXopc(gateway.home, ['gateway', ...args])));
  return ended.map(({ stdout, stderr }) => stdout + stderr).join('\n');
}

/** What is in the state directory, with its names; without the configuration and its earlier texts, and what is kept as a credential. */
function readState(stateDir: string): string {
  return readdirSync(stateDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^(?:xopc\.json|backups|credentials)/.test(name) && statSync(join(stateDir, name)).isFile())
    .map((name) => `${name}\n${readFileSync(join(stateDir, name), 'latin1')}`)
    .join('\n');
}
