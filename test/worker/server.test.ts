import { Agent, type IncomingMessage, request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bindListeners } from '../../supervisor/socket.ts';
import { createServer, type DrainOptions, type Server } from '../../worker/server.ts';

type Running = { server: Server; port: number; drain(more?: Partial<DrainOptions>): Promise<void> };

/** Serves on a socket that was bound as the supervisor does. `/slow?ms` answers late, `/never` not at all. */
async function serve(): Promise<Running> {
  const [listener] = await bindListeners({ hosts: ['127.0.0.1'], port: 0 });
  if (listener === undefined) throw new Error('not bound');
  const server = createServer((incoming, response) => {
    const ms = /^\/slow\?(\d+)$/.exec(incoming.url ?? '')?.[1];
    if (incoming.url === '/never') return;
    if (incoming.url === '/stream') {
      response.write('begun');
      return;
    }
    setTimeout(() => response.end('done'), Number(ms ?? 0));
  });
  const { port, hosts } = await server.listen([listener]);
  expect([hosts, port]).toEqual([['127.0.0.1'], listener.port]);
  const drain = (more: Partial<DrainOptions> = {}): Promise<void> =>
    server.drain({ mode: 'stop', requestsMs: 5_000, isExcused: () => false, excusedMs: 0, ...more });
  onTestFinished(() => drain({ requestsMs: 0 }));
  return { server, port, drain };
}

type Got = { status: number; text: string; connection: string | undefined; retryAfter: string | undefined };

function get(port: number, path: string, agent: Agent | false = false): Promise<Got> {
  return new Promise((resolve, reject) => {
    const call = request({ port, path, agent, host: '127.0.0.1' }, (response: IncomingMessage) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const { connection, 'retry-after': retryAfter } = response.headers;
        resolve({ status: response.statusCode ?? 0, text, connection, retryAfter });
      });
    });
    call.on('error', reject);
    call.end();
  });
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
}

describe('a drain', () => {
  it('before a replacement lets requests finish, tells keep-alive clients to go, and takes no new connection', async () => {
    const { server, port, drain } = await serve();
    const agent = keepAlive();
    expect((await get(port, '/', agent)).connection).toBe('keep-alive');
    const slow = get(port, '/slow?300');
    await expect.poll(() => server.requests).toBe(1);
    const drained = drain({ mode: 'replace' });
    const [onOpenConnection, finished] = await Promise.all([get(port, '/', agent), slow]);
    expect(onOpenConnection).toMatchObject({ status: 200, text: 'done', connection: 'close' });
    expect(finished).toMatchObject({ status: 200, text: 'done', connection: 'close' });
    await expect(get(port, '/')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
    await drained;
    expect(server.requests).toBe(0);
  });

  it('for a stop lets requests finish and does not wait for idle clients', async () => {
    const { server, port, drain } = await serve();
    await get(port, '/', keepAlive());
    const slow = get(port, '/slow?200');
    await expect.poll(() => server.requests).toBe(1);
    const begun = Date.now();
    await drain();
    expect(await slow).toMatchObject({ status: 200, text: 'done', connection: 'close' });
    expect(Date.now() - begun).toBeLessThan(800);
  });

  it('answers what does not end in time with 503 and when to come back, and cuts off half an answer', async () => {
    const { server, port, drain } = await serve();
    const never = get(port, '/never');
    const stream = get(port, '/stream').catch((error: Error) => error.message);
    await expect.poll(() => server.requests).toBe(2);
    const begun = Date.now();
    await drain({ requestsMs: 300 });
    expect(Date.now() - begun).toBeLessThan(1_500);
    expect(await never).toMatchObject({ status: 503, connection: 'close', retryAfter: '2' });
    expect(JSON.parse((await never).text)).toMatchObject({ error: { code: 'NOT_READY' } });
    expect(await stream).toMatch(/aborted|hang up|reset/i);
  });

  it('gives a request that is excused more time, and no more than that', async () => {
    const { server, port, drain } = await serve();
    const excused = get(port, '/slow?400');
    const late = get(port, '/slow?9000');
    const other = get(port, '/never');
    await expect.poll(() => server.requests).toBe(3);
    await drain({ requestsMs: 100, excusedMs: 600, isExcused: ({ url }) => url?.startsWith('/slow') === true });
    expect(await excused).toMatchObject({ status: 200, text: 'done' });
    expect((await other).status).toBe(503);
    expect((await late).status).toBe(503);
  });

  it('without anything open ends at once', async () => {
    const { drain } = await serve();
    const begun = Date.now();
    await drain({ requestsMs: 5_000 });
    expect(Date.now() - begun).toBeLessThan(500);
  });
});

describe('a socket', () => {
  it('that is not what it was said to be is refused', async () => {
    const [listener] = await bindListeners({ hosts: ['127.0.0.1'], port: 0 });
    if (listener === undefined) throw new Error('not bound');
    const server = createServer((_request, response) => response.end());
    await expect(server.listen([{ ...listener, port: listener.port + 1 }])).rejects.toThrow('turned out as');
  });
});
