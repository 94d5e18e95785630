import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../../lib/token.ts';
import type { Credential } from '../../../worker/identify.ts';
import { serveApp, TOKEN } from '../served-app.ts';

const NO_CREDENTIAL = { authorization: '' };

describe('a caller', () => {
  it.each([
    ['Authorization: Bearer', { authorization: `Bearer ${TOKEN}` }],
    ['authorization in any case', { authorization: `bearer   ${TOKEN}` }],
    ['X-Api-Key', { ...NO_CREDENTIAL, 'x-api-key': TOKEN }],
    ['both, of which Bearer counts', { authorization: `Bearer ${TOKEN}`, 'x-api-key': 'wrong' }],
  ])('with the token as %s gets in', async (_how, headers) => {
    const { call } = await serveApp();
    expect((await call('GET', '/api/sessions', undefined, headers)).status).toBe(200);
  });

  it.each([
    ['nothing', NO_CREDENTIAL],
    ['a wrong token', { authorization: 'Bearer canary-wrong-token' }],
    ['a wrong Bearer beside the right key', { authorization: 'Bearer canary-wrong-token', 'x-api-key': TOKEN }],
    ['a part of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
    ['an empty key', { ...NO_CREDENTIAL, 'x-api-key': '' }],
  ])('with %s is refused, told what to do, and no secret', async (_what, headers) => {
    const { call, requests } = await serveApp();
    const answer = await call('GET', '/api/sessions', undefined, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="xopc"');
    expect(answer.body).toEqual({ error: { code: 'UNAUTHORIZED', message: expect.stringMatching(/token/) } });
    for (const text of [answer.text, JSON.stringify(requests)]) {
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain('canary-wrong-token');
    }
  });

  it('is refused before anything is told of what exists', async () => {
    const { call } = await serveApp();
    for (const [method, path] of [
      ['GET', '/api/nothing'],
      ['PUT', '/api/sessions'],
      ['POST', '/api/agent'],
      ['OPTIONS', '/api/agent'],
    ] as const) {
      expect((await call(method, path, undefined, NO_CREDENTIAL)).status).toBe(401);
    }
  });
});

describe('the refusal of a wrong credential', () => {
  const refusalOf = async (credential: Credential, presented: string): Promise<string> => {
    const { call } = await serveApp({ credential });
    const answer = await call('GET', '/api/sessions', undefined, { authorization: `Bearer ${presented}` });
    expect(answer.status).toBe(401);
    return String((answer.body['error'] as Record<string, unknown>)['message']);
  };

  it.each(['/home/user/.xopc/xopc.json', 'XOPC_GATEWAY_TOKEN', '--token'])(
    'names %s as the source that counts, and both by their fingerprints',
    async (source) => {
      const message = await refusalOf({ mode: 'token', secret: TOKEN, source }, 'canary-wrong');
      expect(message).toContain(source);
      expect(message).toContain(fingerprint(TOKEN));
      expect(message).toContain(fingerprint('canary-wrong'));
      expect(message).not.toMatch(/canary/);
    },
  );

  it('tells nothing by which a short secret could be guessed', async () => {
    for (const credential of [
      { mode: 'password', secret: 'pass-word-1', source: 'a file' },
      { mode: 'token', secret: 'sixteen-letters!', source: 'a file' },
    ] as const) {
      const message = await refusalOf(credential, 'canary-wrong');
      expect(message).not.toContain(fingerprint(credential.secret));
      expect(message).toContain(fingerprint('canary-wrong'));
    }
  });
});

describe('after too many wrong credentials', () => {
  const wrong = { authorization: 'Bearer canary-wrong' };
  const password: Credential = { mode: 'password', secret: 'pass-word-1', source: 'a file' };
  const right = { authorization: 'Bearer pass-word-1' };

  it('a caller is told when to come back, in seconds, and the right token still passes and clears (RATE-1)', async () => {
    const { call } = await serveApp();
    for (let tries = 0; tries < 5; tries += 1)
      expect((await call('GET', '/api/sessions', undefined, wrong)).status).toBe(401);
    const blocked = await call('GET', '/api/sessions', undefined, wrong);
    expect(blocked.status).toBe(429);
    expect(blocked.body).toMatchObject({ error: { code: 'RATE_LIMITED' } });
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(290);
    expect(Number(blocked.headers.get('retry-after'))).toBeLessThanOrEqual(300);
    expect((await call('GET', '/api/sessions')).status).toBe(200);
    expect((await call('GET', '/api/sessions', undefined, wrong)).status).toBe(401);
  });

  it('a thousand of them from this machine lock nobody out who has the token', async () => {
    const { call } = await serveApp();
    for (let round = 0; round < 20; round += 1)
      await Promise.all(Array.from({ length: 50 }, () => call('GET', '/api/sessions', undefined, wrong)));
    expect((await call('GET', '/api/sessions', undefined, wrong)).status).toBe(429);
    expect((await call('GET', '/api/sessions')).status).toBe(200);
  });

  it('in mode password even the right one waits, and no public path betrays it', async () => {
    const { call } = await serveApp({ credential: password });
    expect((await call('GET', '/health', undefined, right)).body).toHaveProperty('secretDetail');
    for (let tries = 0; tries < 5; tries += 1) await call('GET', '/health', undefined, wrong);
    expect((await call('GET', '/api/sessions', undefined, right)).status).toBe(429);
    const health = await call('GET', '/health', undefined, right);
    expect(health.status).toBe(200);
    expect(health.body).not.toHaveProperty('secretDetail');
  });

  it('of a page in a browser the command line goes on, also in mode password (RATE-3)', async () => {
    const { call } = await serveApp({ credential: password });
    const page = { origin: 'http://localhost:5173' };
    for (let tries = 0; tries < 5; tries += 1) await call('GET', '/api/sessions', undefined, { ...wrong, ...page });
    expect((await call('GET', '/api/sessions', undefined, { ...right, ...page })).status).toBe(429);
    expect((await call('GET', '/api/sessions', undefined, right)).status).toBe(200);
  });

  it('nothing counts but wrong credentials: none, an unknown path or a wrong method do not (GHSA-6rmx-gvvg-vh6j)', async () => {
    const { call } = await serveApp({ credential: password });
    for (let tries = 0; tries < 20; tries += 1) {
      await call('GET', '/api/sessions', undefined, NO_CREDENTIAL);
      await call('GET', '/api/nowhere', undefined, right);
      await call('PUT', '/api/sessions', undefined, right);
    }
    expect((await call('GET', '/api/sessions', undefined, right)).status).toBe(200);
  });

  it('all go on when the limit is switched off', async () => {
    const { call } = await serveApp({ config: { gateway: { auth: { rateLimit: { enabled: false } } } } });
    for (let tries = 0; tries < 8; tries += 1)
      expect((await call('GET', '/api/sessions', undefined, wrong)).status).toBe(401);
  });
});
