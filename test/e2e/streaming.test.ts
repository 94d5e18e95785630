import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventStream } from './event-stream.ts';
import { eventually } from './eventually.ts';
import { type Gateway, startGateway, stopAll } from './gateway.ts';
import { type Bot, startWorld, type World } from './world.ts';

let world: World;
let bot: Bot;
let gateway: Gateway;

beforeAll(async () => {
  world = await startWorld();
  bot = await world.createBot();
  await world.telegram.createChat(bot.token, 123);
  gateway = await startGateway({ config: world.configure(bot) });
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

const ask = (message: string, session: string): Promise<EventStream> =>
  gateway.events('/api/agent', { method: 'POST', body: { message, session } });

const readMessages = async (session: string): Promise<unknown> => {
  const { body } = await gateway.request(`/api/sessions/main:webchat:default:direct:${session}`);
  return body['session'];
};

describe('an answer that is streamed', () => {
  it('comes as deltas while the model speaks, and then once more as a whole', async () => {
    const stream = await ask('[[chunks=5]][[gap=60]] one two three four five', 'stream');
    const result = await stream.find('result');
    expect(await stream.ended).toBe('end');
    expect(stream).toMatchObject({ status: 200, contentType: 'text/event-stream; charset=utf-8' });
    const deltas = stream.events.filter(({ type }) => type === 'token');
    expect(deltas.map(({ data }) => data['content']).join('')).toBe('echo: one two three four five');
    expect(deltas.length).toBe(5);
    expect((deltas.at(-1)?.at ?? 0) - (deltas[0]?.at ?? 0)).toBeGreaterThan(150);
    expect(stream.events[0]).toMatchObject({ type: 'status', data: { status: 'accepted', session: 'stream' } });
    expect(stream.events.at(-1)).toBe(result);
    const runId = stream.events[0]?.data['run_id'];
    const reply = 'echo: one two three four five';
    expect(result.data).toEqual({ type: 'result', status: 'ok', reply, session: 'stream', run_id: runId });
  });

  it('ends with an error when the model fails', async () => {
    const stream = await ask('[[status=401]]', 'stream');
    await stream.ended;
    expect(stream.events.at(-1)).toMatchObject({ type: 'error', data: { code: 'AGENT_ERROR' } });
  });

  it('is finished and kept although its reader hung up', async () => {
    const stream = await ask('[[chunks=4]][[gap=200]] nobody listens', 'left');
    await stream.find('token');
    stream.close();
    expect(await readMessages('left')).toMatchObject({ pending: [{ content: expect.stringContaining('nobody') }] });
    const session = await eventually('the answer', async () => {
      const seen = (await readMessages('left')) as { messages: { role: string; content: string }[] };
      return seen.messages.length === 2 && seen;
    });
    expect(session).toMatchObject({ pending: [], messages: [{ role: 'user' }, { content: 'echo: nobody listens' }] });
  });

  it('can be aborted, by session and by run; what was said so far is kept', async () => {
    for (const name of ['session', 'run_id']) {
      const stream = await ask('[[chunks=20]][[gap=300]] a long story about everything', `abort-${name}`);
      const { data } = await stream.find('token');
      const { data: accepted } = await stream.find('status');
      const body = name === 'session' ? { session: 'abort-session' } : { run_id: accepted['run_id'] };
      const abort = await gateway.request('/api/agent/abort', { method: 'POST', body });
      expect(abort).toMatchObject({ status: 200, body: { status: 'ok', aborted: true } });
      expect((await stream.find('result')).data).toMatchObject({ status: 'aborted' });
      expect(await readMessages(`abort-${name}`)).toMatchObject({
        messages: [{ role: 'user' }, { role: 'assistant', content: expect.stringContaining(String(data['content'])) }],
      });
    }
    const again = await gateway.request('/api/agent/abort', { method: 'POST', body: { session: 'abort-session' } });
    expect(again.status).toBe(404);
  });
});

describe('the stream of events', () => {
  it('tells what happens to a message from its arrival to its delivery', async () => {
    const stream = await gateway.events();
    await stream.find('connected');
    await bot.say(123, 'watch me');
    await stream.find('message.sent');
    const types = stream.events.map(({ type }) => type);
    const order = ['message.received', 'agent.stream', 'session.updated', 'message.queued', 'message.sent'];
    for (const type of order) expect(types).toContain(type);
    expect(types.indexOf('message.received')).toBeLessThan(types.indexOf('agent.stream'));
    expect(types.indexOf('message.queued')).toBeLessThan(types.indexOf('message.sent'));
    const session = 'main:telegram:default:direct:123';
    expect(stream.events.find(({ type }) => type === 'message.received')?.data).toMatchObject({
      ...{ session, channel: 'telegram', chat_id: '123', sender_id: '123', content: 'watch me' },
    });
    const streamed = stream.events.filter(({ type }) => type === 'agent.stream').map(({ data }) => data['event']);
    expect(streamed[0]).toMatchObject({ type: 'status', status: 'running' });
    expect(streamed.at(-1)).toMatchObject({ type: 'result', status: 'ok', reply: 'echo: watch me' });
    const ids = stream.events.flatMap(({ id }) => id ?? []);
    expect(ids.every((id) => /^[0-9a-f]+-\d+$/.test(id))).toBe(true);
    stream.close();
  });

  it('can be narrowed to types and to a session', async () => {
    const session = 'main:webchat:default:direct:mine';
    const [typed, mine] = await Promise.all([
      gateway.events('/api/events?types=message.sent,session.updated'),
      gateway.events(`/api/events?session=${session}`),
    ]);
    for (const name of ['other', 'mine'])
      await gateway.request('/api/agent', { method: 'POST', body: { message: name, session: name } });
    await typed.find('session.updated', ({ key }) => key === session);
    await mine.find('message.sent');
    expect(new Set(typed.events.map(({ type }) => type))).toEqual(
      new Set(['connected', 'message.sent', 'session.updated']),
    );
    expect(JSON.stringify(mine.events)).not.toContain('other');
    typed.close();
    mine.close();
  });

  it('goes on after the last event a client saw, without a gap or a repetition', async () => {
    const first = await gateway.events('/api/events?types=message.received');
    const say = (message: string): Promise<unknown> =>
      gateway.request('/api/agent', { method: 'POST', body: { message, session: 'replay' } });
    await say('one');
    const { id = '' } = await first.find('message.received');
    first.close();
    await say('two');
    await say('three');
    const headers = { 'Last-Event-ID': id };
    const second = await gateway.events('/api/events?types=message.received', { headers });
    await say('four');
    await second.find('message.received', ({ content }) => content === 'four');
    expect(second.events.map(({ data }) => data['content'])).toEqual([undefined, 'two', 'three', 'four']);
    second.close();
  });

  it('tells a client once to load everything again when the worker it knew is gone', async () => {
    const first = await gateway.events();
    await gateway.request('/api/agent', { method: 'POST', body: { message: 'before' } });
    const { id = '' } = await first.find('message.received');
    const previous = gateway.workerPid();
    await gateway.kill('worker');
    expect(await first.ended).toBe('broken');
    await gateway.nextWorker(previous);
    const second = await gateway.events('/api/events', { headers: { 'Last-Event-ID': id } });
    await second.find('resync');
    await gateway.request('/api/agent', { method: 'POST', body: { message: 'after' } });
    await second.find('message.received', ({ content }) => content === 'after');
    expect(second.events.filter(({ type }) => type === 'resync')).toHaveLength(1);
    second.close();
  });

  it('needs the token', async () => {
    expect((await gateway.events('/api/events', { token: null })).status).toBe(401);
  });
});

describe('an idempotency key', () => {
  const post = (path: string, key: string, body: object): ReturnType<Gateway['request']> =>
    gateway.request(path, { method: 'POST', headers: { 'Idempotency-Key': key }, body });

  it('makes a question one turn, however often it is asked', async () => {
    const body = { message: '[[delay=300]] once', session: 'idem' };
    const replies = await Promise.all([1, 2, 3].map(() => post('/api/agent', 'question', body)));
    replies.push(await post('/api/agent', 'question', body));
    for (const reply of replies) expect(reply).toMatchObject({ status: 200, body: replies[0]?.body });
    expect(await readMessages('idem')).toMatchObject({ messages: [{ role: 'user' }, { role: 'assistant' }] });
    const other = await post('/api/agent', 'question', { ...body, message: 'something else' });
    expect(other).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
  });

  it('makes a message one delivery, however often it is handed in', async () => {
    const body = { channel: 'telegram', chat_id: '123', content: 'only once' };
    const before = (await bot.answers(123)).length;
    const replies = await Promise.all([1, 2, 3].map(() => post('/api/message', 'letter', body)));
    await bot.texts(123, before + 1);
    replies.push(await post('/api/message', 'letter', body));
    expect(new Set(replies.map((reply) => reply.body['message_id'])).size).toBe(1);
    expect(await post('/api/message', 'letter', { ...body, content: 'twice' })).toMatchObject({ status: 409 });
    expect(await post('/api/message', 'letter', { ...body, chat_id: '124' })).toMatchObject({ status: 409 });
    expect(await bot.answers(123)).toHaveLength(before + 1);
  });
});
