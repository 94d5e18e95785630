import { execFile, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, startGateway, stopAll } from './gateway.ts';
import { type Bot, startWorld, type World } from './world.ts';

/** Word for word as the manual has them. */
const SEND_MESSAGE = `curl -X POST http://localhost:18790/api/message \\
  -H "Content-Type: application/json" \\
  -d '{"channel": "telegram", "chat_id": "123", "content": "Hello!"}'`;

const ASK_AGENT = `curl -X POST http://localhost:18790/api/agent \\
  -H "Content-Type: application/json" \\
  -d '{"message": "What is 2+2?"}'`;

const HEALTH = 'curl http://localhost:18790/health';

const WITH_TOKEN = `curl -X POST http://localhost:18790/api/agent \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -d '{"message": "Hello"}'`;

const JAVASCRIPT = `async function sendMessage(content, chatId) {
  const res = await fetch('http://localhost:18790/api/message', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      channel: 'telegram',
      chat_id: chatId,
      content: content
    })
  });
  return res.json();
}
async function chatWithAgent(message) {
  const res = await fetch('http://localhost:18790/api/agent', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ message })
  });
  return res.json();
}`;

const PYTHON = `import requests
def send_message(content, chat_id):
    resp = requests.post(
        'http://localhost:18790/api/message',
        json={
            'channel': 'telegram',
            'chat_id': chat_id,
            'content': content
        }
    )
    return resp.json()
def chat(message):
    resp = requests.post(
        'http://localhost:18790/api/agent',
        json={'message': message}
    )
    return resp.json()`;

/** The requests of the chapter on the API as it prints them: method, path and body. */
const PRINTED = [
  [
    'POST /api/message',
    '{ "channel": "telegram", "chat_id": "123456789", "content": "Hello from API!" }',
    { status: 'ok', message_id: expect.any(String) },
  ],
  [
    'POST /api/message/sync',
    '{ "channel": "telegram", "chat_id": "123456789", "content": "Hello and reply!" }',
    { status: 'ok', reply: 'echo: Hello and reply!' },
  ],
  [
    'POST /api/agent',
    '{ "message": "What is the weather?", "session": "default" }',
    { status: 'ok', reply: 'echo: What is the weather?', session: 'default' },
  ],
  ['GET /health', '', { status: 'healthy', uptime: expect.any(Number) }],
] as const;

const hasPython = spawnSync('python3', ['-c', 'import requests']).status === 0;

type Shown = { status: number; body: Record<string, unknown> };

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

describe('with a token, the examples of the manual', () => {
  let bot: Bot;
  let gateway: Gateway;
  const curl = (example: string): Promise<Shown> => runCurl(example, gateway);
  const withKey = (example: string): Promise<Shown> =>
    curl(example.replace('-H "Content-Type', '-H "X-Api-Key: YOUR_TOKEN" -H "Content-Type'));

  beforeAll(async () => {
    bot = await world.createBot();
    await world.telegram.createChat(bot.token, 123);
    gateway = await startGateway({ config: world.configure(bot) });
  });

  it('ask for the health without a credential', async () => {
    const { status, body } = await curl(HEALTH);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'healthy', uptime: expect.any(Number) });
    expect(body).not.toHaveProperty('channels');
  });

  it('are refused without the token, in the envelope of all errors', async () => {
    for (const example of [SEND_MESSAGE, ASK_AGENT]) {
      const { status, body } = await curl(example);
      expect(status).toBe(401);
      expect(body).toEqual({ error: { code: 'UNAUTHORIZED', message: expect.stringContaining('Bearer') } });
    }
    expect((await curl(WITH_TOKEN.replace('YOUR_TOKEN', 'wrong'))).status).toBe(401);
  });

  it('talk with the agent, as Bearer and as X-Api-Key', async () => {
    const expected = { status: 'ok', session: 'default', run_id: expect.any(String) };
    expect(await curl(WITH_TOKEN)).toEqual({ status: 200, body: { ...expected, reply: 'echo: Hello' } });
    expect(await withKey(ASK_AGENT)).toEqual({ status: 200, body: { ...expected, reply: 'echo: What is 2+2?' } });
  });

  it('send a message to Telegram, whose delivery can be asked for', async () => {
    const { status, body } = await withKey(SEND_MESSAGE);
    expect({ status, body }).toEqual({ status: 200, body: { status: 'ok', message_id: expect.any(String) } });
    expect(await bot.texts(123, 1)).toEqual(['Hello!']);
    const { body: state } = await gateway.request(`/api/message/${String(body['message_id'])}`);
    expect(state).toMatchObject({ message: { channel: 'telegram', chat_id: '123', remote_id: '1' } });
  });

  it('get an answer in a chat synchronously, without writing into the chat', async () => {
    const { status, body } = await gateway.request('/api/message/sync', {
      method: 'POST',
      body: { channel: 'telegram', chat_id: '123', content: 'Hello and reply!' },
    });
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'ok', reply: 'echo: Hello and reply!' } });
    expect(await bot.answers(123)).toHaveLength(1);
    await gateway.request('/api/message/sync', {
      method: 'POST',
      body: { channel: 'telegram', chat_id: '123', content: 'in the chat, please', deliver: true },
    });
    expect((await bot.texts(123, 2))[1]).toBe('echo: in the chat, please');
  });

  it('create, reuse, list, read and delete sessions', async () => {
    const created = await gateway.request('/api/sessions', { method: 'POST', body: { chat_id: 'desk' } });
    expect(created).toMatchObject({ status: 201, body: { status: 'ok', created: true } });
    const reused = await gateway.request('/api/sessions', { method: 'POST', body: { chat_id: 'desk' } });
    expect(reused).toMatchObject({ status: 200, body: { created: false, session: created.body['session'] } });
    const { key } = created.body['session'] as { key: string };
    expect(key).toBe('main:webchat:default:direct:desk');
    const list = await gateway.request('/api/sessions?limit=2');
    expect(list.body).toMatchObject({ total: 3, limit: 2, offset: 0, has_more: true, items: [{}, {}] });
    const session = await gateway.request('/api/sessions/main:webchat:default:direct:default');
    expect(session.body['session']).toMatchObject({
      messages: [{ content: 'Hello' }, { content: 'echo: Hello' }, { role: 'user' }, { role: 'assistant' }],
    });
    expect((await gateway.request(`/api/sessions/${key}`, { method: 'DELETE' })).body).toEqual({
      status: 'ok',
      deleted: true,
    });
    expect(await gateway.request(`/api/sessions/${key}`)).toMatchObject({
      status: 404,
      body: { error: { code: 'SESSION_NOT_FOUND' } },
    });
  });

  it('read the log, where a request is found by its id and the token is not', async () => {
    await gateway.request('/api/sessions', { headers: { 'x-request-id': 'canary-request' } });
    const { status, body } = await gateway.request('/api/logs?request_id=canary-request');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { count: 1, logs: [{ request_id: 'canary-request', method: 'GET', path: '/api/sessions', status: 200 }] },
    });
    const all = await gateway.request('/api/logs?limit=1000');
    expect(all.body['count']).toBeGreaterThan(3);
    expect(JSON.stringify(all.body)).not.toContain(gateway.token);
    expect((await gateway.request('/api/logs', { token: null })).status).toBe(401);
  });

  it('are what the gateway says of itself', async () => {
    const { body } = await gateway.request('/api/openapi.json');
    expect(body).toMatchObject({
      openapi: '3.1.0',
      paths: { '/api/agent': { post: { 'x-scope': 'operator.write' } } },
    });
    const page = await fetch(`${gateway.url}/api/docs`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<code>/api/agent</code>');
    const completion = await gateway.request('/v1/chat/completions', {
      method: 'POST',
      body: { model: 'main', messages: [{ role: 'user', content: 'from another client' }] },
    });
    expect(completion.body).toMatchObject({ choices: [{ message: { content: 'echo: from another client' } }] });
  });

  it.each([
    ['/api/message', { channel: 'pigeon', chat_id: '1', content: 'x' }, 404, 'CHANNEL_NOT_FOUND'],
    ['/api/message', { channel: 'telegram' }, 400, 'INVALID_REQUEST'],
    ['/api/agent', { message: '' }, 400, 'INVALID_REQUEST'],
    ['/api/agent', { message: 'x', session: 'nobody:webchat:default:direct:1' }, 404, 'SESSION_NOT_FOUND'],
    ['/api/agent', { message: '[[status=500]]' }, 502, 'AGENT_ERROR'],
    ['/api/nothing', {}, 404, 'NOT_FOUND'],
  ])('fail as documented: %s %j', async (path, body, status, code) => {
    const reply = await gateway.request(path, { method: 'POST', body });
    expect(reply.body['error']).toMatchObject({ code, message: expect.stringMatching(/\S/) });
    expect(reply.status).toBe(status);
  });
});

describe('with authentication off on loopback, the examples of the manual', () => {
  let bot: Bot;
  let gateway: Gateway;

  beforeAll(async () => {
    bot = await world.createBot();
    await world.telegram.createChat(bot.token, 123);
    gateway = await startGateway({ config: world.configure(bot, {}, { gateway: { auth: { mode: 'none' } } }) });
  });

  it('work word for word', async () => {
    expect(await runCurl(ASK_AGENT, gateway)).toMatchObject({ status: 200, body: { reply: 'echo: What is 2+2?' } });
    expect(await runCurl(SEND_MESSAGE, gateway)).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await bot.texts(123, 1)).toEqual(['Hello!']);
    expect(gateway.stdout()).toContain('Authentication: off');
  });

  it('work in JavaScript', async () => {
    const calls = `console.log(JSON.stringify([await sendMessage('from JS', '123'), await chatWithAgent('from JS')]))`;
    const script = `${JAVASCRIPT}\n${calls}`.replaceAll('18790', String(gateway.port));
    const [sent, answered] = JSON.parse(await run(process.execPath, ['--input-type=module', '-e', script]));
    expect(sent).toEqual({ status: 'ok', message_id: expect.any(String) });
    expect(answered).toMatchObject({ status: 'ok', reply: 'echo: from JS', session: 'default' });
    expect(await bot.texts(123, 2)).toEqual(['Hello!', 'from JS']);
  });

  it.skipIf(!hasPython)('work in Python', async () => {
    await world.telegram.createChat(bot.token, 124);
    const calls = `import json\nprint(json.dumps([send_message('from Python', '124'), chat('from Python')]))`;
    const script = `${PYTHON}\n${calls}`.replaceAll('18790', String(gateway.port));
    const [sent, answered] = JSON.parse(await run('python3', ['-c', script]));
    expect(sent).toEqual({ status: 'ok', message_id: expect.any(String) });
    expect(answered).toMatchObject({ status: 'ok', reply: 'echo: from Python', session: 'default' });
    expect(await bot.texts(124, 1)).toEqual(['from Python']);
  });

  it.each(PRINTED)('are answered in the printed shape: %s %s', async (request, body, expected) => {
    const [method = '', path = ''] = request.split(' ');
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      ...(body === '' ? {} : { body, headers: { 'Content-Type': 'application/json' } }),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject(expected);
  });
});

/** Runs an example in a shell, only with the real port and token in it. */
async function runCurl(example: string, { port, token }: Gateway): Promise<Shown> {
  const command = example
    .replace('curl ', 'curl -sS -w "\\n%{http_code}" ')
    .replace('18790', String(port))
    .replace('YOUR_TOKEN', token);
  const lines = (await run('sh', ['-c', command])).split('\n');
  return { status: Number(lines.pop()), body: JSON.parse(lines.join('\n')) };
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { env: { PATH: process.env['PATH'] } }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
  });
}
