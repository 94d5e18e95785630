import { describe, expect, it } from 'vitest';
import { serveApp, TOKEN } from '../served-app.ts';

describe('an error', () => {
  it('of the path is 404 with what was asked for', async () => {
    const { call } = await serveApp();
    const answer = await call('GET', '/api/nothing');
    expect(answer).toMatchObject({
      status: 404,
      body: { error: { code: 'NOT_FOUND', message: expect.stringContaining('GET /api/nothing') } },
    });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it.each([
    ['PUT', '/api/sessions', ['GET', 'HEAD', 'POST']],
    ['GET', '/api/agent', ['POST']],
    ['PATCH', '/health', ['GET', 'HEAD']],
    ['POST', '/api/sessions/main', ['DELETE', 'GET', 'HEAD']],
  ])('of the method is 405 with the methods that are allowed: %s %s', async (method, path, allowed) => {
    const { call } = await serveApp();
    const answer = await call(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(allowed);
    expect(answer.body).toMatchObject({ error: { code: 'METHOD_NOT_ALLOWED' } });
  });

  it('of ours is 500 without any detail, with the id under which the log has it', async () => {
    const { call, requests } = await serveApp();
    const answer = await call('GET', '/api/broken', undefined, { 'x-request-id': 'trace-1' });
    expect(answer.status).toBe(500);
    expect(answer.body).toEqual({
      error: { code: 'INTERNAL_ERROR', message: expect.any(String), requestId: 'trace-1' },
    });
    expect(answer.text).not.toContain('canary-detail');
    const entry = requests.find(({ message }) => message === 'A request failed unexpectedly');
    expect(entry).toMatchObject({ level: 'error', fields: { request_id: 'trace-1', path: '/api/broken' } });
    expect(entry?.fields['err']).toBeInstanceOf(TypeError);
  });

  it.each(['/api/sessions/%', '/api/message/%zz', '/%E0%A4%A'])('of an escape in the path is 400: %s', async (path) => {
    const { raw } = await serveApp();
    const answer = await raw(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Api-Key: ${TOKEN}\r\n\r\n`,
    );
    expect(answer).toContain('HTTP/1.1 400');
    expect(answer).toContain('INVALID_REQUEST');
  });
});

describe('the request id', () => {
  it('of the caller is taken over when it is a plain word, and logged', async () => {
    const { call, requests } = await serveApp();
    const answer = await call('GET', '/api/sessions?search=canary-query', undefined, { 'x-request-id': 'abc.1:2_3-4' });
    expect(answer.headers.get('x-request-id')).toBe('abc.1:2_3-4');
    const line = requests.find(({ message }) => message === 'request');
    expect(line?.fields).toMatchObject({
      request_id: 'abc.1:2_3-4',
      method: 'GET',
      path: '/api/sessions',
      status: 200,
    });
    expect(JSON.stringify(line)).not.toContain('canary-query');
  });

  it.each(['', 'two words', 'x'.repeat(129), 'a"b', '../x'])('is a new one instead of "%s"', async (id) => {
    const { call } = await serveApp();
    const answer = await call('GET', '/health', undefined, { 'x-request-id': id });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/);
  });

  it('is never given twice, by this worker or another one', async () => {
    const workers = [await serveApp(), await serveApp()];
    const ids = [];
    for (const { call } of [...workers, ...workers])
      ids.push((await call('GET', '/health')).headers.get('x-request-id'));
    expect(new Set(ids).size).toBe(4);
  });
});
