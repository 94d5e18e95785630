import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { bindListeners, closeListeners } from '../../supervisor/socket.ts';
import { takeActivatedListeners } from '../../supervisor/socket-activation.ts';
import { programPath } from '../fixtures/programs.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { fetchText } from './http-load.ts';
import { until } from './running-supervisor.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe.skipIf(process.platform === 'win32')('takeActivatedListeners', () => {
  it('takes the sockets that a parent holds, with their addresses, and a server can listen on each', async () => {
    const first = await hold('127.0.0.1');
    const second = await hold('::1', first.port).catch(() => undefined);
    const sockets = second === undefined ? [first] : [first, second];
    const { answer } = await activate(sockets.map(({ fd }) => fd));
    expect(answer).toEqual({ listeners: sockets.map(({ host, port }) => ({ host, port })) });
    expect(await fetchText(first.port, '/')).toBe('activated');
  });

  it('leaves them open in the parent: who comes while nobody serves is answered by the next process', async () => {
    const { fd, port } = await hold('127.0.0.1');
    const first = await activate([fd]);
    expect(await fetchText(port, '/')).toBe('activated');
    const ended = new Promise((resolve) => first.child.once('exit', resolve));
    first.child.kill('SIGKILL');
    await ended;
    const asked = fetchText(port, '/');
    await activate([fd]);
    expect(await asked).toBe('activated');
  });

  it('refuses a socket of another kind with 78 and says what to correct', async () => {
    const datagrams = await bindDatagrams();
    const path = join(temporaryDirectory(), 'unix.sock');
    const unix = createServer();
    await new Promise<void>((resolve) => unix.listen(path, resolve));
    onTestFinished(() => void unix.close());
    for (const fd of [fdOf(unix), datagrams]) {
      const { answer } = await activate([fd]);
      expect(answer).toMatchObject({
        exitCode: 78,
        message: expect.stringContaining('Socket 3 is none for TCP'),
        hint: expect.stringContaining('.socket unit'),
      });
    }
  });

  it('refuses a connection, as Accept=yes would pass it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const client = connect({ host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
    await new Promise((resolve) => client.once('connect', resolve));
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    const { answer } = await activate([fdOf(client)]);
    expect(answer).toMatchObject({ exitCode: 78, message: expect.stringContaining('is a connection') });
  });

  it('refuses sockets with two ports, and names the ports', async () => {
    const [first, second] = [await hold('127.0.0.1'), await hold('127.0.0.1')];
    const { answer } = await activate([first.fd, second.fd]);
    expect(answer).toMatchObject({
      exitCode: 78,
      message: expect.stringContaining(`different ports: ${first.port}, ${second.port}`),
    });
  });

  it('refuses a number of sockets that were not passed', async () => {
    const { fd } = await hold('127.0.0.1');
    const { answer } = await activate([fd], { count: 3 });
    expect(answer).toMatchObject({ exitCode: 78, message: expect.stringContaining('Socket 4') });
  });

  it('takes nothing that was meant for another process', async () => {
    const { fd } = await hold('127.0.0.1');
    const { answer } = await activate([fd], { pid: '1' });
    expect(answer).toEqual({ listeners: null });
  });

  it.each([
    {},
    { LISTEN_PID: String(process.pid) },
    { LISTEN_PID: String(process.pid), LISTEN_FDS: '0' },
    { LISTEN_PID: String(process.pid), LISTEN_FDS: 'one' },
    { LISTEN_FDS: '1' },
  ])('is null for an environment of %j', (env) => {
    expect(takeActivatedListeners(env)).toBeNull();
  });
});

/** A bound socket that this process never accepts on, as a service manager keeps it. */
async function hold(host: string, port = 0): Promise<{ fd: number; host: string; port: number }> {
  const listeners = await bindListeners({ hosts: [host], port, retryMs: 0 });
  onTestFinished(() => closeListeners(listeners));
  const [listener] = listeners;
  if (listener === undefined) throw new Error('nothing bound');
  const { fd } = listener.handle as unknown as { fd: number };
  return { fd, host: listener.host, port: listener.port };
}

/** Passes descriptors on in the way of a service manager: they become 3 and following, and the environment names the pid. */
async function activate(
  fds: readonly number[],
  { count = fds.length, pid = '$$' } = {},
): Promise<{ child: ChildProcess; answer: Record<string, unknown> }> {
  // A process knows its pid only when it runs, and `exec` keeps it.
  const script = `LISTEN_PID=${pid} LISTEN_FDS=${count} exec "$0" "$1"`;
  const child = spawn('sh', ['-c', script, process.execPath, programPath('activated')], {
    stdio: ['ignore', 'pipe', 'inherit', ...fds],
  });
  children.push(child);
  const lines: string[] = [];
  if (child.stdout === null) throw new Error('no output');
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until(() => lines.length > 0, 'the program answers');
  return { child, answer: JSON.parse(lines[0] ?? '') };
}

async function bindDatagrams(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  const symbol = Object.getOwnPropertySymbols(socket).find((name) => String(name) === 'Symbol(state symbol)');
  const state = (socket as DatagramSocket & Record<symbol, { handle: { fd: number } }>)[symbol ?? Symbol.iterator];
  return state?.handle.fd ?? -1;
}

function fdOf(endpoint: object): number {
  return (endpoint as { _handle: { fd: number } })._handle.fd;
}
