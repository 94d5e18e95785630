import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probe, watchPort } from '../../supervisor/probe.ts';
import { until } from './running-supervisor.ts';

const open: Server[] = [];

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function health(instanceId: string, status = 200): Server {
  return createHttpServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'healthy', instanceId, generation: 1 }));
  });
}

describe('asking the own port', () => {
  it('is satisfied with an answer of this instance only', async () => {
    const port = await listen(health('me'));
    const ask = (instanceId: string): Promise<string | undefined> => probe({ host: '127.0.0.1', port, instanceId });
    expect(await ask('me')).toBeUndefined();
    expect(await ask('you')).toBe('another program answered');
  });

  it('reaches an address that stands for all interfaces', async () => {
    const port = await listen(health('me'));
    expect(await probe({ host: '0.0.0.0', port, instanceId: 'me' })).toBeUndefined();
  });

  it('says what is wrong otherwise', async () => {
    const busy = await listen(health('me', 503));
    expect(await probe({ host: '127.0.0.1', port: busy, instanceId: 'me' })).toBe('it answered 503');
    const foreign = await listen(createServer((socket) => socket.end('SSH-2.0\r\n')));
    expect(await probe({ host: '127.0.0.1', port: foreign, instanceId: 'me' })).toBe('the answer is no HTTP');
    const silent = await listen(createServer((socket) => socket.on('error', () => undefined)));
    const asked = probe({ host: '127.0.0.1', port: silent, instanceId: 'me', timeoutMs: 50 });
    expect(await asked).toBe('no answer within 50 ms');
    const endless = await listen(
      createServer((socket) => socket.on('error', () => undefined).write('x'.repeat(99_999))),
    );
    expect(await probe({ host: '127.0.0.1', port: endless, instanceId: 'me' })).toBe('something else listens there');
    expect(await probe({ host: '127.0.0.1', port: 1, instanceId: 'me' })).toContain('ECONNREFUSED');
  });
});

describe('watching the own port', () => {
  it('reports three misses in a row, and nothing while it answers', async () => {
    let status = 200;
    const server = createHttpServer((_request, response) => {
      response.writeHead(status);
      response.end('"instanceId":"me"');
    });
    const port = await listen(server);
    const reasons: string[] = [];
    const end = watchPort({ host: '127.0.0.1', port, instanceId: 'me', everyMs: 10 }, (reason) => reasons.push(reason));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(reasons).toEqual([]);
    status = 500;
    await until(() => reasons.length === 1, 'it is reported');
    end();
    expect(reasons[0]).toBe('the port did not answer 3 times in a row: it answered 500');
  });
});
