import { describe, expect, it, onTestFinished, vi } from 'vitest';
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

  it('show the account and until when the code is valid', async () => {
    const { call, store } = await serveApp();
    const expiresAt = Date.now() + 60_000;
    await store.pairings.request({ channel: 'test', accountId: 'work', peerId: '7', code: 'ABCD2345', expiresAt });
    expect((await call('GET', '/api/pairings')).body['items']).toMatchObject([
      { channel: 'test', account_id: 'work', peer_id: '7', expires_at: new Date(expiresAt).toISOString() },
    ]);
  });

  it('cannot be approved by trying codes, one by one or all at once', async () => {
    const { call, store } = await serveApp();
    const expiresAt = Date.now() + 3_600_000;
    await store.pairings.request({ channel: 'test', accountId: 'default', peerId: '7', code: 'ABCD2345', expiresAt });
    const approve = (code: string) => call('POST', '/api/pairings/approve', { code });
    const answers = await Promise.all(Array.from({ length: 12 }, (_none, index) => approve(`WRONG${index}`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(404), 429, 429]);
    const refused = await approve('ABCD2345');
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'RATE_LIMITED' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect((await approve('ABCD2345')).status).toBe(200);
  });

  it('that are approved do not count as tries', async () => {
    const { call, store } = await serveApp();
    for (let index = 0; index < 12; index += 1) {
      const code = `CODE${index}`;
      const expiresAt = Date.now() + 60_000;
      await store.pairings.request({ channel: 'test', accountId: 'default', peerId: `${index}`, code, expiresAt });
      expect((await call('POST', '/api/pairings/approve', { code })).status).toBe(200);
    }
  });
});
