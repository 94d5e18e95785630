import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LogQuery, type LogSearchOptions, searchLog } from '../../lib/log-search.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const START = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A record as the logger writes it, `n` seconds after the first one. */
function line(n: number, fields: Readonly<Record<string, unknown>> = {}): string {
  const time = new Date(START + n * 1_000).toISOString();
  return `${JSON.stringify({ name: 'xopc', proc: 'worker', level: 30, msg: `line ${n}`, time, ...fields })}\n`;
}

function makeLog(files: Readonly<Record<string, string>>): string {
  const path = join(temporaryDirectory(), 'logs', 'gateway.log');
  mkdirSync(dirname(path));
  for (const [suffix, content] of Object.entries(files)) writeFileSync(`${path}${suffix}`, content);
  return path;
}

const search = (path: string, query: Partial<LogQuery> = {}, options: Partial<LogSearchOptions> = {}) =>
  searchLog(path, { limit: 100, ...query }, { redact: (text) => text, ...options });

async function texts(path: string, query: Partial<LogQuery> = {}): Promise<string[]> {
  return (await search(path, query)).logs.map(({ msg }) => msg);
}

/** Everything, page by page. */
async function readPages(path: string, query: Partial<LogQuery>, options: Partial<LogSearchOptions> = {}) {
  const found: string[] = [];
  for (let before: string | undefined, pages = 0; pages < 10_000; pages += 1) {
    const page = await search(path, before === undefined ? query : { ...query, before }, options);
    found.push(...page.logs.map(({ msg }) => msg));
    if (page.next === undefined) return found;
    before = page.next;
  }
  throw new Error('The pages have no end');
}

describe('the log', () => {
  it('is read newest first, over all of its files', async () => {
    const path = makeLog({ '': line(4) + line(5), '.1': line(2) + line(3), '.2': line(1) });
    expect(await texts(path)).toEqual(['line 5', 'line 4', 'line 3', 'line 2', 'line 1']);
  });

  it('that is not there is empty', async () => {
    expect(await search('/nonexistent/gateway.log')).toEqual({ logs: [] });
  });

  it('is found by level, process or channel, request, session, time and text', async () => {
    const path = makeLog({
      '': [
        line(1, { level: 20 }),
        line(2, { level: 50, request_id: 'r-1' }),
        line(3, { proc: 'supervisor', session: 'main:webchat:default:direct:a' }),
        line(4, { channel: 'telegram', level: 40, what: 'Über "quoted" text' }),
      ].join(''),
    });
    expect(await texts(path, { level: 'warn' })).toEqual(['line 4', 'line 2']);
    expect(await texts(path, { module: 'supervisor' })).toEqual(['line 3']);
    expect(await texts(path, { module: 'telegram' })).toEqual(['line 4']);
    expect(await texts(path, { requestId: 'r-1' })).toEqual(['line 2']);
    expect(await texts(path, { session: 'main:webchat:default:direct:a' })).toEqual(['line 3']);
    expect(await texts(path, { session: 'main' })).toEqual([]);
    expect(await texts(path, { q: 'über "QUOTED"' })).toEqual(['line 4']);
    expect(await texts(path, { from: '2026-01-02T03:04:07Z', to: '2026-01-02T04:04:08+01:00' })).toEqual([
      'line 3',
      'line 2',
    ]);
  });

  it('keeps the words of a dying runtime at every level, but they belong to no time and nobody', async () => {
    const path = makeLog({ '': `${line(1)}FATAL ERROR: heap out of memory\n${line(2)}` });
    expect(await texts(path, { level: 'error' })).toEqual(['FATAL ERROR: heap out of memory']);
    expect(await texts(path, { q: 'heap' })).toHaveLength(1);
    expect(await texts(path, { from: '2000-01-01T00:00:00Z' })).toEqual(['line 2', 'line 1']);
    expect(await texts(path, { module: 'worker' })).toEqual(['line 2', 'line 1']);
  });

  it('goes on where a page ended, also when the files have moved up meanwhile', async () => {
    const path = makeLog({ '': line(4) + line(5) + line(6), '.1': line(1) + line(2) + line(3) });
    const first = await search(path, { limit: 2 });
    expect(first.logs.map(({ msg }) => msg)).toEqual(['line 6', 'line 5']);
    renameSync(`${path}.1`, `${path}.2`);
    renameSync(path, `${path}.1`);
    writeFileSync(path, line(7));
    const second = await search(path, { limit: 2, before: first.next });
    expect(second.logs.map(({ msg }) => msg)).toEqual(['line 4', 'line 3']);
    expect(await texts(path, { before: second.next })).toEqual(['line 2', 'line 1']);
  });

  it('has no further page at its beginning, and none for a place that is no longer kept', async () => {
    const path = makeLog({ '': line(1) + line(2) });
    expect(await search(path, { limit: 2 })).not.toHaveProperty('next');
    expect(await search(path, { before: `${'0'.repeat(16)}.10` })).toEqual({ logs: [] });
  });

  it('shows no secret (PR#70029), and does not let one be guessed by searching', async () => {
    const path = makeLog({ '': line(1, { token: 'canary-value' }) + line(2) });
    const redact = (text: string): string => text.replaceAll('canary-value', '[hidden]');
    expect(JSON.stringify(await search(path, {}, { redact }))).not.toContain('canary');
    expect(await search(path, { q: 'canary' }, { redact })).toEqual({ logs: [] });
  });

  it('says when it has read for long enough, and can be read on', async () => {
    const mark = (n: number): Record<string, unknown> => (n === 7 ? { request_id: 'r-7' } : {});
    const path = makeLog({ '': Array.from({ length: 20_000 }, (_, n) => line(n, mark(n))).join('') });
    const first = await search(path, { requestId: 'nobody' }, { maxMs: 0 });
    expect(first).toEqual({ logs: [], stopped: 'time', next: expect.any(String) });
    expect(await readPages(path, { requestId: 'r-7' }, { maxMs: 0 })).toEqual(['line 7']);
  });

  it('says when a page has become too large, and can be read on', async () => {
    const content = Array.from({ length: 9 }, (_, n) => line(n, { filler: 'x'.repeat(1_000) })).join('');
    const path = makeLog({ '': content });
    const first = await search(path, {}, { maxSize: 3_000 });
    expect(first).toMatchObject({ stopped: 'size', next: expect.any(String) });
    expect(first.logs).toHaveLength(3);
    expect(await readPages(path, {}, { maxSize: 3_000 })).toHaveLength(9);
  });

  it('of one endless line gives its beginning, and what stands around it', async () => {
    const path = makeLog({ '': `${line(1)}${'é'.repeat(3_000_000)}\n${line(2)}` });
    const { logs } = await search(path);
    expect(logs.map(({ msg }) => msg.slice(0, 6))).toEqual(['line 2', 'éééééé', 'line 1']);
    expect(logs[1]?.msg.length).toBeLessThan(1_100_000);
  });

  it('lets others in while it reads', async () => {
    const path = makeLog({ '': Array.from({ length: 40_000 }, (_, n) => line(n)).join('') });
    let rounds = 0;
    const ticking = setInterval(() => {
      rounds += 1;
    }, 1);
    await search(path, { q: 'canary-nowhere', from: '2026-01-01T00:00:00Z' });
    await search(path, { session: 'nobody' });
    await search(path, { level: 'fatal' });
    clearInterval(ticking);
    expect(rounds).toBeGreaterThan(1);
  });

  it('gives each line once, whatever the pages and the files', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(60), { maxLength: 12 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 7 }),
        async (lengths, limit) => {
          let n = 0;
          const files = lengths.map((file) => file.map((size) => line(n++, { filler: '→'.repeat(size) })).join(''));
          const names = files.map((_, index) => (index === files.length - 1 ? '' : `.${files.length - 1 - index}`));
          const path = makeLog(Object.fromEntries(files.map((content, index) => [names[index] ?? '', content])));
          const expected = Array.from({ length: n }, (_, index) => `line ${n - 1 - index}`);
          expect(await readPages(path, { limit })).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });
});
