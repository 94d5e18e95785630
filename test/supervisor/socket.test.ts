import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ExitError } from '../../lib/errors.ts';
import { bindListeners, closeListeners, type Listener, portBusyError } from '../../supervisor/socket.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { lockRecordText } from './lock-samples.ts';

const servers: Server[] = [];
let bound: Listener[] = [];

afterEach(async () => {
  closeListeners(bound);
  bound = [];
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('bindListeners', () => {
  it('binds a port of the system’s choice on the first host only', async () => {
    bound = await bindListeners({ hosts: ['127.0.0.1', '::1'], port: 0 });
    expect(bound).toHaveLength(1);
    expect(bound[0]).toMatchObject({ host: '127.0.0.1', port: expect.any(Number) });
    expect(bound[0]?.port).toBeGreaterThan(0);
  });

  it('binds a given port on every host the machine has', async () => {
    const port = await freePort();
    const skipped: string[] = [];
    bound = await bindListeners({
      hosts: ['127.0.0.1', '::1', '203.0.113.7'],
      port,
      onSkipped: (host, reason) => skipped.push(`${host} ${reason}`),
    });
    expect(bound.map((listener) => listener.port)).toEqual(bound.map(() => port));
    expect(skipped).toContain('203.0.113.7 EADDRNOTAVAIL');
  });

  it('gives a socket that a server can listen on', async () => {
    bound = await bindListeners({ hosts: ['127.0.0.1'], port: 0 });
    const server = createServer((_request, response) => response.end('hello'));
    servers.push(server);
    const [listener] = bound;
    await new Promise<void>((resolve) => server.listen(listener?.handle, 4_096, resolve));
    expect(server.address()).toMatchObject({ address: '127.0.0.1', port: listener?.port });
    expect(await (await fetch(`http://127.0.0.1:${listener?.port}/`)).text()).toBe('hello');
    bound = [];
  });

  it('says 69 in the manual’s words when the port is busy, and never binds another one', async () => {
    const port = await listenSomewhere();
    const error = await refusal({ hosts: ['127.0.0.1'], port, retryMs: 0 });
    expect(error.exitCode).toBe(69);
    expect(error.message).toBe(`Port ${port} is already in use. Use --force to kill existing process.`);
    expect(error.message).toBe(portBusyError(port).message);
  });

  it('says who holds a busy port in front of what to do, as far as it can tell', async () => {
    const health = { status: 'healthy', uptime: 1, version: '9.8.7', instanceId: 'x' };
    const port = await listenSomewhere((_request, response) => response.end(JSON.stringify(health)));
    const { hint } = await refusal({ hosts: ['127.0.0.1'], port, retryMs: 0 });
    expect(hint).toMatch(
      /^It is held by another xopc gateway \(version 9\.8\.7\).*\. Or choose another port with --port\.$/,
    );
  });

  it('names the gateway whose lock tells that it holds the port', async () => {
    const port = await listenSomewhere();
    const locksDir = temporaryDirectory();
    const pid = process.ppid;
    writeFileSync(join(locksDir, 'gateway.a.lock'), lockRecordText({ pid, port, configPath: '/etc/a.json' }));
    const { hint } = await refusal({ hosts: ['127.0.0.1'], port, retryMs: 0, locksDir });
    expect(hint).toBe(
      `It is held by the xopc gateway of /etc/a.json (PID ${pid}). Or choose another port with --port.`,
    );
    expect(portBusyError(port).hint).toBe('Or choose another port with --port.');
  });

  it('waits for a port whose owner is just leaving', async () => {
    const port = await listenSomewhere();
    setTimeout(() => servers.pop()?.close(), 200);
    bound = await bindListeners({ hosts: ['127.0.0.1'], port });
    expect(bound[0]?.port).toBe(port);
  });

  it('gives up a busy port within two seconds', async () => {
    const port = await listenSomewhere();
    const startedAt = Date.now();
    expect((await refusal({ hosts: ['127.0.0.1'], port })).exitCode).toBe(69);
    expect(Date.now() - startedAt).toBeLessThan(2_000);
  });

  it.each(['203.0.113.7', 'no-such-host.invalid', 'no:such:address'])(
    'says 78 when %s is no address of this machine',
    async (host) => {
      const error = await refusal({ hosts: [host], port: await freePort() });
      expect(error.exitCode).toBe(78);
      expect(error.message).toContain(host);
    },
  );

  it('resolves a host name', async () => {
    bound = await bindListeners({ hosts: ['localhost'], port: 0 });
    expect(['127.0.0.1', '::1']).toContain(bound[0]?.host);
  });

  it('frees the port when it is closed', async () => {
    bound = await bindListeners({ hosts: ['127.0.0.1'], port: 0 });
    const port = bound[0]?.port ?? 0;
    closeListeners(bound);
    bound = await bindListeners({ hosts: ['127.0.0.1'], port, retryMs: 0 });
    expect(bound[0]?.port).toBe(port);
  });
});

async function listenSomewhere(listener?: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const port = await listenSomewhere();
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return port;
}

async function refusal(options: Parameters<typeof bindListeners>[0]): Promise<ExitError> {
  const error: unknown = await bindListeners(options).then(
    (listeners) => closeListeners(listeners),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ExitError)) throw new Error(`Expected a refusal, got ${String(error)}`);
  return error;
}
