import { describe, expect, it } from 'vitest';
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

  it('needs a credential for every route that is not public, in every mode but none', async () => {
    const token = await serveApp();
    const password = await serveApp({ credential: { mode: 'password', secret: 'pass-word-1', source: 'file' } });
    for (const { method, path, scope } of token.routes) {
      for (const app of [token, password]) {
        const { status } = await app.call(method, path, undefined, NO_CREDENTIAL);
        if (scope === 'public') expect(status).not.toBe(401);
        else expect(status).toBe(401);
      }
    }
    expect(
      (await password.call('GET', '/api/sessions', undefined, { authorization: 'Bearer pass-word-1' })).status,
    ).toBe(200);
    const open = await serveApp({ credential: { mode: 'none' } });
    expect((await open.call('GET', '/api/sessions', undefined, NO_CREDENTIAL)).status).toBe(200);
  });
});
