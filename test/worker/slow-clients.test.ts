import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Served, serveApp, TOKEN } from './served-app.ts';

/** What clients do that do not speak HTTP well, on purpose or not; on real sockets. */

type Client = { socket: Socket; received(): string; isClosed(): boolean };

function open({ port }: Served, text: string | Uint8Array): Promise<Client> {
  return new Promise((resolve) => {
    let received = '';
    let isClosed = false;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
      if (text.length > 0) socket.write(text);
      resolve({ socket, received: () => received, isClosed: () => isClosed });
    });
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      isClosed = true;
    });
    onTestFinished(() => void socket.destroy());
  });
}

function openMany(app: Served, count: number, text: string): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => open(app, text)));
}

const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

const LIMITS = { headersMs: 300, requestMs: 600, checkMs: 50 };

describe('slow clients', () => {
  it('that never finish their headers or body are told so and cut off, while others are served', async () => {
    const app = await serveApp({ limits: LIMITS });
    const silent = await openMany(app, 20, '');
    const headers = await openMany(app, 20, 'GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const post = `POST /api/agent HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    const bodies = await openMany(app, 20, post);
    const all = [...silent, ...headers, ...bodies];
    const drip = setInterval(() => {
      for (const { socket } of [...headers, ...bodies]) if (socket.writable) socket.write(' ');
    }, 50);
    onTestFinished(() => clearInterval(drip));
    let served = 0;
    while (!all.every((client) => client.isClosed())) {
      expect((await app.call('GET', '/health')).status).toBe(200);
      served += 1;
    }
    expect(served).toBeGreaterThan(0);
    for (const client of [...headers, ...bodies]) {
      expect(client.received()).toMatch(/^HTTP\/1\.1 408 /);
      expect(bodyOf(client.received())).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
    }
    expect(silent.map((client) => client.received()).join('')).toBe('');
    expect(app.requests.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('clients that do not read', () => {
  const asking = (path: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;

  it('what they asked for is neither prepared without end nor kept for ever', async () => {
    const app = await serveApp({ limits: { stallMs: 500 } });
    const count = 2_000;
    const deaf = await open(app, '');
    deaf.socket.pause();
    deaf.socket.write(asking('/api/openapi.json').repeat(count));
    await vi.waitFor(() => expect(app.requests.length).toBeGreaterThan(0));
    await vi.waitFor(async () => expect(await isHungUpOn(deaf)).toBe(true), 10_000);
    // The others of its requests were never read.
    expect(app.requests.length).toBeLessThan(count / 4);
    expect((await app.call('GET', '/health')).status).toBe(200);
  });

  it('of events are cut off when too much waits for them, and those who read miss nothing', async () => {
    const app = await serveApp();
    const deaf = await open(app, asking('/api/events'));
    const attentive = await open(app, asking('/api/events'));
    await vi.waitFor(() => expect(app.streams.open).toBe(2));
    deaf.socket.pause();
    const text = 'x'.repeat(100_000);
    let published = 0;
    while (app.streams.open === 2 && published < 500) {
      app.events.publish('session.updated', { key: `${published}-${text}` }, 'none');
      published += 1;
      const last = `"${published - 1}-`;
      await vi.waitFor(() => expect(attentive.received().slice(-2 * text.length)).toContain(last));
    }
    expect(app.streams.open).toBe(1);
    expect(attentive.received().match(/event: session.updated/g)).toHaveLength(published);
    expect(attentive.isClosed()).toBe(false);
  });

  it('for as long as nothing is there to be read, nobody is cut off', async () => {
    const app = await serveApp({ limits: { stallMs: 100 } });
    const waiting = await open(app, asking('/api/events'));
    await vi.waitFor(() => expect(waiting.received()).toContain('connected'));
    await sleep(500);
    app.events.publish('session.updated', { key: 'after a while' }, 'none');
    await vi.waitFor(() => expect(waiting.received()).toContain('after a while'));
  });
});

/** A client that does not read sees the end of its connection only when it writes. */
async function isHungUpOn({ socket, isClosed }: Client): Promise<boolean> {
  if (!isClosed()) socket.write('\r\n');
  return isClosed();
}

describe('many clients', () => {
  it('get 503 on connections beyond the limit, and an answer again once others have left', async () => {
    const app = await serveApp({ limits: { maxConnections: 3 } });
    const idle = await openMany(app, 3, 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await vi.waitFor(() => expect(idle.every((client) => client.received().includes(' 200 '))).toBe(true));
    const full = await app.raw('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(full).toMatch(/^HTTP\/1\.1 503 /);
    expect(full).toContain('Retry-After: 5');
    expect(full).toContain('X-Content-Type-Options: nosniff');
    expect(bodyOf(full)).toMatchObject({
      error: { code: 'TOO_MANY_CONNECTIONS', message: expect.stringContaining('gateway.maxConnections') },
    });
    for (const { socket } of idle) socket.destroy();
    await vi.waitFor(async () => expect((await app.call('GET', '/health')).status).toBe(200));
  });
});

describe('what is no request', () => {
  const MANY = Array.from({ length: 101 }, (_, index) => `X-${index}: y\r\n`).join('');
  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03]), 400],
    ['headers that are too large', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['an address that is too long', `GET /${'y'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
    ['too many headers', `GET /health HTTP/1.1\r\nHost: localhost\r\n${MANY}\r\n`, 431],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    [
      'a broken chunk',
      `POST /api/agent HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
    ],
    ['a zero byte in a header', 'GET /health HTTP/1.1\r\nHost: local\0host\r\n\r\n', 400],
  ])('%s is answered in our form and cut off', async (_what, text, status) => {
    const app = await serveApp();
    const client = await open(app, text);
    await vi.waitFor(() => expect(client.isClosed()).toBe(true));
    const answer = client.received();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain('Connection: close');
    expect(bodyOf(answer)).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
  });

  it('behind a request whose answer has begun does not get into that answer', async () => {
    const app = await serveApp();
    const stream = `GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
    const client = await open(app, stream);
    await vi.waitFor(() => expect(client.received()).toContain('text/event-stream'));
    client.socket.write('garbage\r\n\r\n');
    await vi.waitFor(() => expect(client.isClosed()).toBe(true));
    expect(client.received()).not.toContain('HTTP/1.1 400');
  });

  it('however random, harms nobody', async () => {
    const app = await serveApp({ limits: LIMITS });
    const begin = [
      '',
      'GET ',
      'POST /api/agent HTTP/1.1\r\n',
      'GET /health HTTP/1.1\r\nHost: localhost\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ];
    for (let round = 0; round < 60; round += 1) {
      const bytes = Buffer.concat([
        Buffer.from(begin[round % begin.length] ?? ''),
        randomBytes(1 + ((round * 37) % 3_000)),
      ]);
      const client = await open(app, bytes);
      client.socket.end();
    }
    expect((await app.call('GET', '/health')).status).toBe(200);
    expect((await app.call('POST', '/api/agent', { message: 'hello' })).status).toBe(200);
    expect(app.requests.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
