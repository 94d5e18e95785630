import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWeixinEmulator, type WeixinEmulator } from '../emulators/start.ts';
import { eventually } from './eventually.ts';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { startWorld, type World } from './world.ts';

const OWNER = 'owner@im.wechat';

let world: World;
let weixin: WeixinEmulator;
let gateway: Gateway;
let token = '';

beforeAll(async () => {
  [world, weixin] = await Promise.all([startWorld(), startWeixinEmulator()]);
  const channels = { weixin: { enabled: true, loginBaseUrl: weixin.url, allowFrom: ['*'], dmPolicy: 'open' as const } };
  gateway = await startGateway({ config: world.configure(undefined, undefined, { channels }) });
});
afterAll(async () => {
  await stopAll();
  await Promise.all([world.stop(), weixin.stop()]);
});

const texts = async (user: string): Promise<string[]> => (await weixin.seen(user)).map(({ text }) => text);

function told(user: string, count: number, timeoutMs?: number): Promise<string[]> {
  const look = async () => ((await texts(user)).length >= count ? texts(user) : undefined);
  return eventually(`${count} messages for ${user}`, look, timeoutMs);
}

async function state(): Promise<string | undefined> {
  const { body } = await gateway.request('/api/channels');
  const items = body['items'] as { id: string; state: string }[];
  return items.find(({ id }) => id === 'weixin')?.state;
}

const is = (wanted: string): Promise<unknown> =>
  eventually(`the state "${wanted}"`, async () => (await state()) === wanted, 20_000);

async function logIn(): Promise<void> {
  const before = (await weixin.calls()).length;
  const login = runXopc(gateway.home, ['gateway', 'login', 'weixin']);
  const isShown = ({ path }: { path: string }) => path.endsWith('/get_qrcode_status');
  await eventually('the QR code', async () => (await weixin.calls()).slice(before).some(isShown));
  await weixin.scan();
  ({ token } = await weixin.confirm(OWNER));
  const { code, stdout } = await login;
  expect(stdout).toContain('▄');
  expect(stdout).toContain('Logged in: weixin/default.');
  expect(code).toBe(0);
}

it('an account that is not logged in says so, and the QR code of the command line logs it in', async () => {
  await is('login-needed');
  expect((await gateway.request('/health')).body).toMatchObject({ status: 'degraded' });
  await logIn();
  await is('up');
  await weixin.say('ada@im.wechat', 'hello');
  expect(await told('ada@im.wechat', 1)).toEqual(['echo: hello']);
});

it('the login is kept for its owner only, and its token is in no log and no answer', async () => {
  expect(statSync(join(gateway.home.stateDir, 'credentials', 'weixin-default.json')).mode & 0o777).toBe(0o600);
  expect(gateway.home.readLog()).not.toContain(token);
  expect((await gateway.request('/api/status')).text).not.toContain(token);
});

it('the console logs in by the API, also with digits', async () => {
  const call = (path: string, method = 'GET', body?: unknown) =>
    gateway.request(`/api/channels/weixin/login/${path}`, { method, ...(body === undefined ? {} : { body }) });
  expect((await call('start', 'POST', { account_id: 'none' })).status).toBe(404);
  expect((await call('0123')).status).toBe(404);
  await weixin.configure({ verifyCode: '4711' });
  const begun = await call('start', 'POST', {});
  expect(begun.body).toMatchObject({ step: 'scan', qr: expect.stringContaining('https://'), account_id: 'default' });
  const key = String(begun.body['session_key']);
  expect((await call(`${key}/code`, 'POST', { code: '1' })).status).toBe(409);
  await weixin.scan();
  const asked = () => eventually('the question', async () => (await call(key)).body['step'] === 'code');
  await asked();
  expect((await call(`${key}/code`, 'POST', { code: 'x' })).status).toBe(400);
  await call(`${key}/code`, 'POST', { code: '1' });
  await eventually('the second question', async () => String((await call(key)).body['problem']).includes('wrong'));
  await call(`${key}/code`, 'POST', { code: '4711' });
  ({ token } = await weixin.confirm(OWNER));
  await eventually('the end', async () => (await call(key)).body['step'] === 'done');
  await weixin.configure({ verifyCode: null });
  await is('up');
  await weixin.say('bob@im.wechat', 'hello');
  expect(await told('bob@im.wechat', 1)).toEqual(['echo: hello']);
});

it('the eleventh message is held and comes when its person writes, over a kill', async () => {
  const user = 'eve@im.wechat';
  const send = (content: string) =>
    gateway.request('/api/message', { method: 'POST', body: { channel: 'weixin', chat_id: user, content } });
  expect(await send('too early')).toMatchObject({ status: 202, body: { status: 'held' } });
  await weixin.say(user, 'hello');
  await told(user, 2);
  for (let count = 3; count <= 10; count += 1) expect((await send(`number ${count}`)).status).toBe(200);
  await told(user, 10);
  const held = await send('number 11');
  expect(held).toMatchObject({ status: 202, body: { status: 'held' } });
  const previous = gateway.workerPid();
  await gateway.kill('worker');
  await gateway.nextWorker(previous);
  await is('up');
  await eventually('the state "held"', async () => {
    const { body } = await gateway.request(`/api/message/${held.body['message_id']}`);
    return (body['message'] as { state: string }).state === 'held';
  });
  expect(await texts(user)).toHaveLength(10);
  await weixin.say(user, 'go on');
  expect((await told(user, 12)).slice(10).toSorted()).toEqual(['echo: go on', 'number 11']);
});

it('a message whose worker is killed while it is sent is sent again with a mark, under the same id', async () => {
  const user = 'kim@im.wechat';
  await weixin.addFault({ match: { method: 'sendmessage', chat: user }, action: 'half-open', process: true });
  await weixin.say(user, 'hello');
  await told(user, 1);
  const previous = gateway.workerPid();
  await gateway.kill('worker');
  await gateway.nextWorker(previous);
  const [first, second] = await told(user, 2);
  expect(first).toBe('echo: hello');
  expect(second).toContain('possible repeat');
  expect(new Set((await weixin.seen(user)).map(({ clientId }) => clientId)).size).toBe(1);
});

it.each(['replay', 'consume'] as const)(
  'nothing is lost or answered twice over a kill when the service has the cursor mode %s and repeats itself',
  async (cursorMode) => {
    await weixin.configure({ cursorMode, dupMode: 'same-id' });
    const users = Array.from({ length: 6 }, (_none, index) => `${cursorMode}-${index}@im.wechat`);
    for (const user of users) await weixin.say(user, `[[delay=1500]] to ${user}`);
    const isCommitted = async () => ((await gateway.request('/health')).body['queues'] as { inbox: number }).inbox >= 6;
    // What the service gave out and is not committed yet is lost when it gives out each message once.
    await eventually('what came in', isCommitted);
    const previous = gateway.workerPid();
    await gateway.kill('worker');
    await gateway.nextWorker(previous);
    for (const user of users) expect((await told(user, 1, 20_000))[0]).toContain(`echo: to ${user}`);
    for (const user of users) await weixin.say(user, 'last');
    for (const user of users) expect(await told(user, 2)).toHaveLength(2);
    await weixin.configure({ cursorMode: 'replay', dupMode: 'none' });
  },
);

it('a login that is void is said to be so, is not tried for ever, and what waits comes after the next one', async () => {
  const user = 'ada@im.wechat';
  await weixin.say(user, '[[delay=1500]] late');
  await eventually('the turn', async () => {
    const { body } = await gateway.request('/health');
    return (body['queues'] as { inbox: number }).inbox > 0;
  });
  await weixin.voidLogin();
  await is('login-needed');
  const polls = async () => (await weixin.calls()).filter(({ path }) => path.endsWith('/getupdates')).length;
  const before = await polls();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await polls()).toBe(before);
  const { body } = await gateway.request('/api/channels');
  expect(JSON.stringify(body)).toContain('xopc gateway login weixin');
  await logIn();
  await is('up');
  await weixin.say(user, 'again');
  expect((await told(user, 2, 90_000)).toSorted()).toEqual(['echo: again', 'echo: late']);
});

it('was spoken to as the service wants it', async () => {
  expect((await weixin.calls()).filter(({ violation }) => violation !== null)).toEqual([]);
});
