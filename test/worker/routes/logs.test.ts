import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';
import { HIDDEN, serveApp } from '../served-app.ts';

const LINES = [
  { name: 'xopc', proc: 'worker', level: 30, msg: 'first', time: '2026-01-02T03:04:05.000Z', request_id: 'r-1' },
  { name: 'xopc', proc: 'supervisor', level: 50, msg: 'second', time: '2026-01-02T03:04:06.000Z', token: HIDDEN },
];

async function serveLog() {
  const logFile = join(temporaryDirectory(), 'gateway.log');
  writeFileSync(logFile, LINES.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return serveApp({ logFile });
}

describe('GET /api/logs', () => {
  it('gives the newest lines first, how many, and where to go on', async () => {
    const { call } = await serveLog();
    const first = await call('GET', '/api/logs?limit=1');
    expect(first).toMatchObject({ status: 200, body: { count: 1, logs: [{ msg: 'second', level: 50 }] } });
    const second = await call('GET', `/api/logs?limit=1&before=${String(first.body['next'])}`);
    expect(second.body).toEqual({ count: 1, logs: [LINES[0]] });
  });

  it('finds by level and by request', async () => {
    const { call } = await serveLog();
    expect((await call('GET', '/api/logs?level=warn')).body).toMatchObject({ count: 1, logs: [{ msg: 'second' }] });
    expect((await call('GET', '/api/logs?request_id=r-1')).body).toMatchObject({ count: 1, logs: [{ msg: 'first' }] });
  });

  it('hides secrets that got into the log before they were known', async () => {
    const { call } = await serveLog();
    const { text } = await call('GET', '/api/logs');
    expect(text).toContain('[hidden]');
    expect(text).not.toContain(HIDDEN);
  });

  it('is empty without a log', async () => {
    const { call } = await serveApp();
    expect((await call('GET', '/api/logs')).body).toEqual({ logs: [], count: 0 });
  });

  it.each([
    'limit=0',
    'limit=1001',
    'level=loud',
    'from=yesterday',
    'to=2026-13-01T00:00:00Z',
    'before=1',
    'before=..%2F..%2Fetc',
    'q=',
    'level=warn&level=error',
  ])('refuses the query %s and names the field', async (query) => {
    const { call } = await serveLog();
    const answer = await call('GET', `/api/logs?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { error: { details: [{ path: query.split('=')[0] }] } } });
  });
});
