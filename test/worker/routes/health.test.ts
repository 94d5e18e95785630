import { describe, expect, it } from 'vitest';
import { createScriptedChannel } from '../scripted-channel.ts';
import { serveApp } from '../served-app.ts';

const NO_CREDENTIAL = { authorization: '' };

describe('health', () => {
  it.each(['/health', '/api/health'])('at %s is public, and says more to those who may know', async (path) => {
    const { call } = await serveApp();
    const stranger = await call('GET', path, undefined, NO_CREDENTIAL);
    expect(stranger.status).toBe(200);
    expect(stranger.body).toEqual({
      status: 'healthy',
      uptime: expect.any(Number),
      version: expect.any(String),
      instanceId: 'instance',
      generation: 7,
    });
    expect((await call('GET', path)).body).toMatchObject({ secretDetail: true });
    expect((await call('GET', path, undefined, { authorization: 'Bearer wrong' })).body).not.toHaveProperty(
      'secretDetail',
    );
  });

  it('is answered to HEAD without a body', async () => {
    const { call } = await serveApp();
    for (const path of ['/health', '/api/health', '/health/live', '/health/ready']) {
      const answer = await call('HEAD', path, undefined, NO_CREDENTIAL);
      expect([answer.status, answer.text]).toEqual([200, '']);
    }
  });

  it('shows those who may know which channel is in the way of whom', async () => {
    const channel = createScriptedChannel();
    channel.status = () => [{ accountId: 'work', state: 'conflict', since: 0, lastError: 'Another gateway polls.' }];
    const { call } = await serveApp({ channel });
    expect((await call('GET', '/health/ready', undefined, NO_CREDENTIAL)).body).toEqual({ status: 'ready' });
    const { channels } = (await call('GET', '/health/ready')).body;
    expect(channels).toContainEqual(
      expect.objectContaining({
        id: 'test',
        state: 'conflict',
        accounts: [expect.objectContaining({ account_id: 'work', last_error: 'Another gateway polls.' })],
      }),
    );
  });

  it('says "not ready" with 503 and "live" with 200 while it ends', async () => {
    const { call } = await serveApp({ isReady: () => false });
    expect(await call('GET', '/health/ready', undefined, NO_CREDENTIAL)).toMatchObject({
      status: 503,
      body: { status: 'not-ready' },
    });
    expect(await call('GET', '/health/live', undefined, NO_CREDENTIAL)).toMatchObject({
      status: 200,
      body: { status: 'live' },
    });
  });
});
