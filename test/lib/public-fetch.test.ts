import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FetchRefused, fetchPublic } from '../../lib/public-fetch.ts';
import { type FileServer, startFileServer } from '../fixtures/file-server.ts';

let server: FileServer;
let redirect = '';
beforeAll(async () => {
  server = await startFileServer((request, response) => {
    if (request.url === '/file') response.end('content');
    else if (request.url === '/moved') response.writeHead(302, { location: redirect }).end();
    else response.writeHead(404).end();
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
});

const NEVER = new AbortController().signal;
const fetchText = async (url: string, allowedHosts: string[] = [], signal = NEVER): Promise<string> =>
  text(await fetchPublic(url, { allowedHosts, allowedBy: 'the.list', signal }));

describe('our own network (CVE-2026-26322)', () => {
  it.each([
    ['its address', () => server.url],
    ['its name', () => server.url.replace('127.0.0.1', 'localhost')],
    ['its address as a number', () => server.url.replace('127.0.0.1', '2130706433')],
    ['its address in short', () => server.url.replace('127.0.0.1', '127.1')],
    ['an IPv6 address that wraps it', () => server.url.replace('127.0.0.1', '[::ffff:127.0.0.1]')],
    ['the address of any', () => server.url.replace('127.0.0.1', '0.0.0.0')],
  ])('is not asked by %s', async (_what, url) => {
    await expect(fetchText(`${url()}/file`)).rejects.toThrow(FetchRefused);
    await expect(fetchText(`${url()}/file`)).rejects.toThrow('not on the public internet');
    expect(server.requests).toEqual([]);
  });

  it('is asked when the host is allowed, with this very port', async () => {
    expect(await fetchText(`${server.url}/file`, [server.host])).toBe('content');
    await expect(fetchText(`${server.url}/file`, ['127.0.0.1', '127.0.0.1:1'])).rejects.toThrow(FetchRefused);
  });

  it('is not reached by a redirection either', async () => {
    redirect = 'http://169.254.169.254/latest/meta-data';
    await expect(fetchText(`${server.url}/moved`, [server.host])).rejects.toThrow(
      '169.254.169.254 is not on the public',
    );
    redirect = 'file:///etc/passwd';
    await expect(fetchText(`${server.url}/moved`, [server.host])).rejects.toThrow('file: addresses are not fetched');
  });
});

describe('an answer', () => {
  it('that sends on is followed, but not for ever', async () => {
    redirect = '/file';
    expect(await fetchText(`${server.url}/moved`, [server.host])).toBe('content');
    redirect = '/moved';
    await expect(fetchText(`${server.url}/moved`, [server.host])).rejects.toThrow('redirections');
  });

  it('that is no success is refused with its status', async () => {
    await expect(fetchText(`${server.url}/nothing`, [server.host])).rejects.toThrow('answered with status 404');
  });

  it('that does not come ends with the signal', async () => {
    const silent = await startFileServer(() => undefined);
    await expect(fetchText(silent.url, [silent.host], AbortSignal.timeout(50))).rejects.toThrow();
    silent.close();
  });
});

it.each(['nonsense', 'ftp://example.org/a', 'http://user:secret@example.org/a', 'http://'])(
  '%s is refused before anything is asked',
  async (url) => {
    const refused = await fetchText(url).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(FetchRefused);
    expect(String(refused)).not.toContain('secret');
  },
);
