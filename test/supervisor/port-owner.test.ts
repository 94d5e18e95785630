import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describePortOwner } from '../../supervisor/port-owner.ts';
import { makeTemporaryDirectory, programPath } from '../fixtures/programs.ts';
import { lockRecordText, pidOfDeadProcess } from './lock-samples.ts';
import { until } from './running-supervisor.ts';

const HEALTH = { status: 'healthy', uptime: 5, version: '1.2.3', instanceId: 'x', generation: 1 };
const isLinux = process.platform === 'linux';

/** The program that holds the ports of these tests: this one. */
const OURSELVES = isLinux ? expect.stringMatching(new RegExp(`^[^,]+ \\(PID ${process.pid}\\)$`)) : undefined;

let directory: ReturnType<typeof makeTemporaryDirectory>;
let locksDir: string;
const servers: Server[] = [];
const sockets = new Set<Socket>();
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = makeTemporaryDirectory();
  locksDir = join(directory.path, 'locks');
  mkdirSync(locksDir);
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  directory.remove();
});

describe('the owner of a port', () => {
  it('is the gateway whose lock says so, and it is not even asked', async () => {
    let isAsked = false;
    const port = await serve(() => {
      isAsked = true;
    });
    const holder = await startHolder();
    writeLock('other', { pid: holder.pid, port: port + 1, configPath: '/etc/other.json' });
    writeLock('ours', { pid: holder.pid, port, configPath: '/etc/mine.json' });
    expect(await describePortOwner(port, locksDir)).toBe(`the xopc gateway of /etc/mine.json (PID ${holder.pid})`);
    expect(isAsked).toBe(false);
  });

  it('is not a gateway that is dead, nor this one, nor one of which only rubbish is left', async () => {
    const port = await serve(answering(200, HEALTH));
    writeLock('dead', { pid: pidOfDeadProcess(), port });
    writeLock('this', { pid: process.pid, port });
    writeFileSync(join(locksDir, 'torn.lock'), '{"pid":');
    expect(await describePortOwner(port, locksDir)).toMatch(/^another xopc gateway \(version 1\.2\.3\)/);
  });

  it.each([
    ['in one piece', answering(200, HEALTH)],
    [
      'in chunks',
      ((_request, response) => {
        const text = JSON.stringify(HEALTH);
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.write(text.slice(0, 20));
        setTimeout(() => response.end(text.slice(20)), 20);
      }) satisfies RequestListener,
    ],
    [
      'and keeps the connection open',
      ((_request, response) => {
        response.writeHead(200);
        response.write(JSON.stringify(HEALTH));
      }) satisfies RequestListener,
    ],
  ])('is another gateway when it answers as one does, %s', async (_name, listener) => {
    expect(await describePortOwner(await serve(listener), locksDir)).toMatch(
      /^another xopc gateway \(version 1\.2\.3\)/,
    );
  });

  it.each([
    ['a page', answering(200, '<html>')],
    ['an error', answering(404, { error: 'x' })],
    ['half of what we say', answering(200, { ...HEALTH, instanceId: undefined })],
    ['a version that no program has', answering(200, { ...HEALTH, version: '\u001b[2J' })],
    [
      'without end',
      ((_request, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'.repeat(10_000)), 1);
        response.on('close', () => clearInterval(timer));
      }) satisfies RequestListener,
    ],
  ])('is another HTTP server when it answers %s', async (_name, listener) => {
    const owner = await describePortOwner(await serve(listener), locksDir);
    expect(owner).toMatch(/^another HTTP server/);
    expect(owner).not.toContain('\u001b');
  });

  it('is named by its program where the system tells', async () => {
    const holder = await startHolder();
    const owner = await describePortOwner(holder.port);
    expect(owner).toBe(isLinux ? `node (PID ${holder.pid})` : undefined);
  });

  it('is the topmost process when a family holds the socket', async () => {
    const holder = await startHolder(['family']);
    await until(() => holder.lines.length === 2, 'the child holds the socket');
    const owner = await describePortOwner(holder.port);
    // The parent first: it starts its child again.
    process.kill(holder.pid, 'SIGKILL');
    process.kill(Number(holder.lines[1]?.split(' ')[0]), 'SIGKILL');
    if (isLinux) expect(owner).toBe(`node (PID ${holder.pid})`);
  });

  it('that says nothing, or nothing of HTTP, is known by its program only, within two seconds', async () => {
    const silent = await listen(createServer(() => undefined));
    const other = await listen(createServer((socket) => socket.end('220 mail.example ESMTP\r\n')));
    const startedAt = Date.now();
    const owners = await Promise.all([
      describePortOwner(silent),
      describePortOwner(other, join(directory.path, 'none')),
    ]);
    expect(owners).toEqual([OURSELVES, OURSELVES]);
    expect(Date.now() - startedAt).toBeLessThan(2_000);
  });

  it('is nobody on a port that is free', async () => {
    const port = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await describePortOwner(port, locksDir)).toBeUndefined();
  });

  it('is found with no program of the system at hand', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = directory.path;
    try {
      expect(await describePortOwner(await serve(answering(200, HEALTH)), locksDir)).toContain('another xopc gateway');
    } finally {
      process.env['PATH'] = path;
    }
  });
});

function answering(status: number, body: unknown): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

async function serve(listener: RequestListener): Promise<number> {
  return listen(createHttpServer(listener));
}

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function writeLock(name: string, change: Parameters<typeof lockRecordText>[0]): void {
  writeFileSync(join(locksDir, `gateway.${name}.lock`), lockRecordText(change));
}

async function startHolder(traits: string[] = []): Promise<{ pid: number; port: number; lines: string[] }> {
  const child = spawn(process.execPath, [programPath('port-holder'), '0', ...traits], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until(() => lines.length > 0, 'it listens');
  const [pid = 0, port = 0] = lines[0]?.split(' ').map(Number) ?? [];
  return { pid, port, lines };
}
