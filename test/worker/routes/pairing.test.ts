import { describe, expect, it } from 'vitest';
import { serveApp } from '../served-app.ts';

describe('pairings', () => {
  it('are listed, approved by their code in any case, and revoked', async () => {
    const { call, store } = await serveApp();
    const expiresAt = Date.now() + 60_000;
    await store.pairings.request({
      channel: 'test',
      accountId: 'default',
      peerId: 'a/b',
      code: 'ABCD2345',
      name: 'Ann',
      expiresAt,
    });
    expect((await call('GET', '/api/pairings')).body['items']).toMatchObject([
      { peer_id: 'a/b', state: 'pending', code: 'ABCD2345', name: 'Ann' },
    ]);
    expect(await call('POST', '/api/pairings/approve', { code: 'WRONG' })).toMatchObject({ status: 404 });
    expect(await call('POST', '/api/pairings/approve', { code: ' abcd2345 ' })).toMatchObject({
      status: 200,
      body: { pairing: { state: 'approved' } },
    });
    expect((await call('DELETE', '/api/pairings/test/default/a%2Fb')).status).toBe(200);
    expect((await call('DELETE', '/api/pairings/test/default/a%2Fb')).status).toBe(404);
  });
});
