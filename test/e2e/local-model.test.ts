import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, stopAll } from './gateway.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

it('a model server on this machine is found without any configuration, and answers', async () => {
  await world.llm.configure({ models: ['llama-local'] });
  const gateway = await startGateway({ config: {}, env: { OLLAMA_HOST: world.llm.url } });
  const reply = await gateway.request('/api/agent', { method: 'POST', body: { message: 'hello' } });
  expect(reply).toMatchObject({ status: 200, body: { reply: 'echo: hello' } });
  const session = await gateway.request('/api/sessions/main:webchat:default:direct:default');
  expect(JSON.stringify(session.body)).toContain('ollama/llama-local');
});

it('when it goes away, the person is told so', async () => {
  const own = await startWorld();
  const gateway = await startGateway({ config: {}, env: { OLLAMA_HOST: own.llm.url } });
  expect((await gateway.request('/api/agent', { method: 'POST', body: { message: 'hi' } })).status).toBe(200);
  await own.stop();
  const reply = await gateway.request('/api/agent', { method: 'POST', body: { message: 'hello?' } });
  expect(reply).toMatchObject({ status: 502, body: { error: { code: 'AGENT_ERROR' } } });
  expect(reply.text).toContain('cannot be reached');
});
