import { type ChildProcess, fork } from 'node:child_process';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { openSupervisorChannel } from '../../lib/ipc.ts';
import { bindListeners, closeListeners, type Listener } from '../../supervisor/socket.ts';
import { programPath } from '../fixtures/programs.ts';
import { isRunning, readTitle } from './process-tree.ts';
import { until } from './running-supervisor.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe.skipIf(process.platform === 'win32')('the program that answers 503', () => {
  it('says when to come back, and what is going on', async () => {
    const { port } = await startResponder();
    const [head = '', body = ''] = (await talk(port, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n')).split('\r\n\r\n');
    expect(head).toContain('HTTP/1.1 503 Service Unavailable');
    expect(head).toContain('Retry-After: 2');
    expect(head).toContain('Cache-Control: no-store');
    expect(head).toContain('Connection: close');
    expect(JSON.parse(body)).toEqual({
      status: 'unavailable',
      error: {
        code: 'NOT_READY',
        message: 'The gateway is starting again after a failure. Try again in a moment.',
      },
    });
  });

  it.each([
    ['another path', 'GET /health?x=1 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another method with a body', 'POST /api/agent HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}'],
    ['an old version of HTTP', 'GET / HTTP/1.0\r\n\r\n'],
    ['a wish to change the protocol', 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
  ])('answers so whatever is asked: %s', async (_what, request) => {
    const { port } = await startResponder();
    expect(await talk(port, request)).toMatch(/^HTTP\/1\.1 503 /);
  });

  it('answers each of many callers', async () => {
    const { port } = await startResponder();
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => talk(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')),
    );
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 503 '))).toHaveLength(200);
  });

  it('answers on every socket that it is given', async () => {
    const { child, port } = await startResponder();
    const second = await bind();
    openSupervisorChannel(child).send({ t: 'listener.take', host: second.host, port: second.port }, second.handle);
    for (const each of [port, second.port]) {
      expect(await talkUntilAnswered(each)).toMatch(/^HTTP\/1\.1 503 /);
    }
  });

  it('lasts through nonsense on the wire', async () => {
    const { port } = await startResponder();
    expect(await talk(port, 'SSH-2.0-OpenSSH\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await talk(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1\.1 503 /);
  });

  it('goes by a name of its own, without paths in the list of processes', async () => {
    const { child } = await startResponder();
    expect(readTitle(child.pid ?? 0)).toBe('xopc-responder');
  });
});

describe.skipIf(process.platform === 'win32')('its end', () => {
  it('comes at once when it is told, and with 0', async () => {
    const { child, port } = await startResponder();
    await talk(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const startedAt = Date.now();
    openSupervisorChannel(child).send(DRAIN);
    expect(await endOf(child)).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(450);
  });

  it('comes after half a second though a client keeps silent', async () => {
    const { child, port } = await startResponder();
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    onTestFinished(() => void client.destroy());
    await new Promise((resolve) => client.once('connect', resolve));
    await sleep(50);
    openSupervisorChannel(child).send(DRAIN);
    expect(await endOf(child)).toBe(0);
  });

  it('comes when it is told before it was given any socket', async () => {
    const child = forkResponder();
    openSupervisorChannel(child).send(DRAIN);
    expect(await endOf(child)).toBe(0);
  });

  it('comes with its supervisor', async () => {
    const { child } = await startResponder();
    child.disconnect();
    expect(await endOf(child)).toBe(70);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)(
    'is not for %s to bring about, which a terminal sends to all',
    async (name) => {
      const { child, port } = await startResponder();
      child.kill(name);
      await sleep(50);
      expect(isRunning(child.pid ?? 0)).toBe(true);
      expect(await talk(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1\.1 503 /);
    },
  );
});

describe('a socket on which it cannot listen', () => {
  it('leaves it alive, to be told to end', async () => {
    const server = await listen();
    const child = forkResponder();
    openSupervisorChannel(child).send({ t: 'listener.take', host: '127.0.0.1', port: 1 });
    await sleep(100);
    expect(isRunning(child.pid ?? 0)).toBe(true);
    openSupervisorChannel(child).send(DRAIN);
    expect(await endOf(child)).toBe(0);
    server.close();
  });
});

const DRAIN = { t: 'worker.drain', mode: 'replace', requestsMs: 0, turnsMs: 0 } as const;

function forkResponder(): ChildProcess {
  const child = fork(programPath('responder'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(child);
  return child;
}

async function startResponder(): Promise<{ child: ChildProcess; port: number }> {
  const listener = await bind();
  const { host, port, handle } = listener;
  const child = forkResponder();
  openSupervisorChannel(child).send({ t: 'listener.take', host, port }, handle);
  await talkUntilAnswered(port);
  return { child, port };
}

async function bind(): Promise<Listener> {
  const [listener] = await bindListeners({ hosts: ['127.0.0.1'], port: 0 });
  if (listener === undefined) throw new Error('nothing is bound');
  onTestFinished(() => closeListeners([listener]));
  return listener;
}

async function listen(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Nobody listens before the program is there. */
async function talkUntilAnswered(port: number): Promise<string> {
  for (;;) {
    const answer = await talk(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    if (answer !== '') return answer;
    await sleep(10);
  }
}

/** Sends bytes and returns what comes back until the other side hangs up. */
function talk(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

async function endOf(child: ChildProcess): Promise<number | null> {
  await until(() => child.exitCode !== null || child.signalCode !== null, 'it has ended');
  return child.exitCode;
}
