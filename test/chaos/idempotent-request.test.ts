import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stopAll } from '../e2e/gateway.ts';
import type { HttpReply } from '../e2e/http.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { createScene, type Scene, type Victim, whileThinking } from './scene.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

describe.each<Victim>(['worker', 'tree'])('a request whose %s was killed', (victim) => {
  it('is answered when it is repeated with its idempotency key, by the run that had begun', async () => {
    const scene = await createScene(world);
    const message = `[[delay=900]][[say=answer ${victim}]]`;
    const broken = ask(scene, message).catch(() => 'broken');
    await whileThinking(world, `answer ${victim}`);
    const before = await readSession(scene);
    await scene.kill(victim);
    expect(await broken).toBe('broken');

    const [reply, again] = await Promise.all([ask(scene, message), ask(scene, message)]);
    expect(reply).toMatchObject({ status: 200, body: { status: 'ok', reply: `answer ${victim}` } });
    expect(again.body).toEqual(reply.body);
    const session = await readSession(scene);
    expect(session['messages']).toMatchObject([{ role: 'user' }, { role: 'assistant', content: `answer ${victim}` }]);
    expect(before['pending']).toMatchObject([{ run_id: reply.body['run_id'] }]);
    expect(await ask(scene, `${message} else`)).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
  });
});

function ask(scene: Scene, message: string): Promise<HttpReply> {
  return scene.gateway().request('/api/agent', {
    method: 'POST',
    headers: { 'Idempotency-Key': 'key-1' },
    body: { message, session: 'retried' },
  });
}

async function readSession(scene: Scene): Promise<Record<string, unknown>> {
  const { body } = await scene.gateway().request('/api/sessions/main:webchat:default:direct:retried');
  return body['session'] as Record<string, unknown>;
}
