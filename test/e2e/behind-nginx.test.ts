import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingNginx, type Nginx, startNginx } from '../fixtures/nginx.ts';
import { startLoad } from '../supervisor/http-load.ts';
import { type EventStream, openEvents } from './event-stream.ts';
import { eventually } from './eventually.ts';
import { type Gateway, startGateway, stopAll } from './gateway.ts';
import { type HttpOptions, type HttpReply, sendRequest } from './http.ts';
import { startWorld, type World } from './world.ts';

const PUBLIC = 'gateway.example.com';
/** Another address than that of the proxy, as a client on another machine has it. */
const CLIENT = '127.0.0.2';
const RESTARTS = 20;

const missing = missingNginx();

describe.skipIf(missing !== '')(`the gateway behind nginx${missing === '' ? '' : ` (${missing})`}`, () => {
  let world: World;
  let gateway: Gateway;
  let nginx: Nginx;

  beforeAll(async () => {
    world = await startWorld();
    const config = { gateway: { trustedProxies: ['127.0.0.1'], allowedHosts: [PUBLIC] } };
    gateway = await startGateway({ config: world.configure(undefined, {}, config) });
    nginx = await startNginx(gateway.port);
  });
  afterAll(async () => {
    nginx?.stop();
    await stopAll();
    await world?.stop();
  });

  const withHead = (options: HttpOptions): HttpOptions => ({
    localAddress: CLIENT,
    ...options,
    headers: { Host: PUBLIC, Authorization: `Bearer ${gateway.token}`, ...options.headers },
  });
  const call = (path: string, options: HttpOptions = {}): Promise<HttpReply> =>
    sendRequest(`${nginx.url}${path}`, withHead(options));
  const watch = (path: string, options: HttpOptions = {}): Promise<EventStream> =>
    openEvents(`${nginx.url}${path}`, withHead(options));

  it.each([
    ['plain', {}],
    ['that may be compressed', { 'Accept-Encoding': 'gzip' }],
  ])('a stream, %s, comes event by event and whole', async (_how, headers) => {
    const watcher = await watch('/api/events', { headers });
    await watcher.find('connected');
    const message = '[[chunks=10]][[gap=200]] one two three four five six seven eight nine ten';
    const turn = await watch('/api/agent', { method: 'POST', headers, body: { message } });
    const [first, result] = [await turn.find('token'), await turn.find('result')];
    expect(await turn.ended).toBe('end');
    // Held back, all of them would come together.
    expect(result.at - first.at).toBeGreaterThan(1_000);
    expect(result.data['reply']).toBe('echo: one two three four five six seven eight nine ten');
    const received = await watcher.find('message.received', ({ content }) => content === message);
    expect(received.at).toBeLessThan(result.at);
    watcher.close();
  });

  it('knows the caller by the address that nginx saw, whatever the caller claims', async () => {
    const headers = { 'X-Request-Id': 'who-asks', 'X-Forwarded-For': '203.0.113.9', 'X-Real-IP': '203.0.113.9' };
    expect((await call('/api/sessions', { headers })).status).toBe(200);
    const line = await eventually('the line of the log', () =>
      gateway.home
        .readLog()
        .split('\n')
        .find((text) => text.includes('"who-asks"')),
    );
    expect(JSON.parse(line)).toMatchObject({ ip: CLIENT });
    expect(gateway.home.readLog()).not.toContain('that gateway.trustedProxies does not name');
  });

  it('limits guesses by that address', async () => {
    const guess = { headers: { Authorization: 'Bearer guess' }, localAddress: '127.0.0.3' };
    const codes: number[] = [];
    for (let count = 0; count < 6; count += 1) codes.push((await call('/api/sessions', guess)).status);
    expect(codes).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await call('/api/sessions', { headers: guess.headers })).status).toBe(401);
  });

  it('takes its own pages for its own, and nobody else', async () => {
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await call('/api/sessions', { headers })).status;
    expect(await ask({ Origin: `http://${PUBLIC}` })).toBe(200);
    // nginx was reached without TLS and says so.
    expect(await ask({ Origin: `https://${PUBLIC}` })).toBe(403);
    expect(await ask({ Origin: 'http://evil.example' })).toBe(403);
    expect(await ask({ Origin: 'http://localhost:3000' })).toBe(403);
    expect(await ask({ Host: 'evil.example', Origin: 'http://evil.example' })).toBe(421);
  });

  it('refuses by itself what is too large, in its own form, and takes what is not', async () => {
    const send = (bytes: number): Promise<HttpReply> =>
      call('/api/message', { method: 'POST', body: { channel: 'nowhere', chat_id: '1', content: 'x'.repeat(bytes) } });
    const refused = await send(1_500_000);
    expect([refused.status, refused.body]).toMatchObject([413, { error: { code: 'PAYLOAD_TOO_LARGE' } }]);
    // Read as a whole, and judged.
    expect((await send(1_000_000)).text).toContain('content');
  });

  it('serves many requests over one kept connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const connections = new Set<unknown>();
    agent.on('free', (socket) => connections.add(socket));
    const codes: number[] = [];
    for (let count = 0; count < 20; count += 1) codes.push((await call('/api/sessions', { agent })).status);
    agent.destroy();
    expect(codes).toEqual(Array.from({ length: 20 }, () => 200));
    expect(connections.size).toBe(1);
  });

  it(`loses no request over ${RESTARTS} restarts, and no turn`, async () => {
    const load = startLoad(nginx.port, 20, '/health');
    const turns: Promise<HttpReply>[] = [];
    const asking = setInterval(() => {
      const body = { message: `[[delay=500]] question ${turns.length}`, session: `restarts-${turns.length}` };
      turns.push(call('/api/agent', { method: 'POST', body }));
    }, 100);
    for (let round = 0; round < RESTARTS; round += 1) {
      const previous = gateway.workerPid();
      gateway.signal('SIGUSR1');
      await gateway.nextWorker(previous);
    }
    clearInterval(asking);
    const { failures, generations } = await load.stop();
    expect(failures).toEqual([]);
    expect(generations).toHaveLength(RESTARTS + 1);
    expect(turns.length).toBeGreaterThan(RESTARTS);
    const replies = (await Promise.all(turns)).map(({ body }) => body['reply']);
    expect(replies).toEqual(turns.map((_turn, index) => `echo: question ${index}`));
    expect(nginx.readErrors()).not.toContain('upstream');
  }, 180_000);
});
