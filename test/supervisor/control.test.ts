import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ControlRequest } from '../../lib/control.ts';
import { callControl } from '../../lib/control-client.ts';
import { ControlRefusal, openControlSocket } from '../../supervisor/control.ts';
import { programPath } from '../fixtures/programs.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { handlerOf, openScene, sendRaw, statusOf } from './control-scene.ts';
import { openMemoryLog } from './memory-log.ts';
import { until } from './running-supervisor.ts';

const ask = (path: string): Promise<unknown> => callControl(path, { do: 'status' });
const errorOf = (answer: string): { code: string; message: string } => JSON.parse(answer).error;

describe('a request', () => {
  it('is answered with the result of its handler on one line, and then the connection ends', async () => {
    const { path } = await openScene();
    const answer = await sendRaw(path, '{"do":"status"}\n', true);
    expect(answer.endsWith('\n')).toBe(true);
    expect(JSON.parse(answer)).toEqual({ ok: true, result: statusOf() });
    expect(answer.trimEnd()).not.toContain('\n');
  });

  it('reaches the handler of its own name with everything it carries', async () => {
    const seen: ControlRequest[] = [];
    const note = <T>(result: T) => {
      return (request: ControlRequest): T => {
        seen.push(request);
        return result;
      };
    };
    const { path } = await openScene({
      handle: {
        status: note(statusOf()),
        stop: note({ phase: 'draining' as const }),
        restart: note({ generation: 7 }),
        token: note({ authMode: 'none', token: null }),
        report: note({ handles: 3 }),
      },
    });
    const requests: ControlRequest[] = [
      { do: 'status' },
      { do: 'stop' },
      { do: 'restart', force: true, reason: 'new key' },
      { do: 'token' },
      { do: 'report' },
    ];
    const results: unknown[] = [];
    for (const request of requests) results.push(await callControl(path, request));
    expect(seen).toEqual(requests);
    expect(results).toEqual([
      statusOf(),
      { phase: 'draining' },
      { generation: 7 },
      { authMode: 'none', token: null },
      { handles: 3 },
    ]);
  });

  it('may come in pieces, without a line break, or with more behind it', async () => {
    const { path } = await openScene();
    const client = connect({ path });
    for (const piece of ['{"do"', ':"sta', 'tus"}', '\n']) {
      client.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const [pieces] = await new Promise<Buffer[]>((resolve) => client.once('data', (chunk) => resolve([chunk])));
    expect(JSON.parse(String(pieces))).toMatchObject({ ok: true });
    expect(JSON.parse(await sendRaw(path, '{"do":"status"}'))).toMatchObject({ ok: true });
    expect(JSON.parse(await sendRaw(path, '{"do":"status"}\n{"do":"stop"}\n'))).toMatchObject({
      result: { phase: 'running' },
    });
  });

  it('to restart needs no more than its name', async () => {
    let seen: unknown;
    const { path } = await openScene({
      handle: {
        restart(request) {
          seen = request;
          return { generation: null };
        },
      },
    });
    expect(JSON.parse(await sendRaw(path, '{"do":"restart"}\n'))).toEqual({ ok: true, result: { generation: null } });
    expect(seen).toEqual({ do: 'restart', force: false, reason: 'control socket' });
  });

  it('waits for a handler that takes its time', async () => {
    const { path } = await openScene({
      handle: { status: () => new Promise((resolve) => setTimeout(resolve, 50, statusOf({ reason: 'later' }))) },
    });
    expect(await ask(path)).toMatchObject({ reason: 'later' });
  });
});

describe('what is no request', () => {
  it.each([
    ['nothing', ''],
    ['an empty line', '\n'],
    ['no JSON', 'hello\n'],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a list', '[1]\n'],
    ['a text', '"status"\n'],
    ['null', 'null\n'],
    ['bytes that are no text', Buffer.from([0xff, 0x00, 0xfe, 0x0a])],
    ['an unknown wish', '{"do":"format"}\n'],
    ['a wish with the name of something built in', '{"do":"constructor"}\n'],
    ['no wish', '{"force":true}\n'],
    ['a force that is no truth value', '{"do":"restart","force":"yes"}\n'],
    ['a reason that is no text', '{"do":"restart","reason":5}\n'],
    ['another version of the protocol', '{"v":99,"do":"status"}\n'],
  ])('is told so: %s', async (_name, bytes) => {
    const { path, records } = await openScene();
    const answer = await sendRaw(path, bytes);
    expect(JSON.parse(answer)).toMatchObject({ ok: false, error: { code: 'INVALID_REQUEST' } });
    expect(records).toEqual([]);
    expect(await ask(path)).toMatchObject({ phase: 'running' });
  });

  it('names both versions when they differ', async () => {
    const { path } = await openScene();
    expect(errorOf(await sendRaw(path, '{"v":99,"do":"status"}\n')).message).toMatch(/version 1 .* not 99/);
  });

  it('may have 4,096 bytes and no more', async () => {
    const { path } = await openScene();
    const padded = (length: number): string => '{"do":"status"}'.padEnd(length, ' ');
    expect(JSON.parse(await sendRaw(path, `${padded(4_096)}\n`))).toMatchObject({ ok: true });
    expect(errorOf(await sendRaw(path, `${padded(4_097)}\n`))).toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('4096'),
    });
  });

  it('is cut off when it never ends', async () => {
    const { path } = await openScene({ clientMs: 100 });
    const client = connect({ path });
    const answer = new Promise<string>((resolve) => client.once('data', (chunk) => resolve(String(chunk))));
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.on('error', () => undefined);
    const flood = setInterval(() => client.write('x'.repeat(1_000)), 1);
    onTestFinished(() => clearInterval(flood));
    expect(errorOf(await answer).code).toBe('INVALID_REQUEST');
    await closed;
    expect(await ask(path)).toMatchObject({ phase: 'running' });
  });
});

describe('a client that is slow', () => {
  it('is hung up on when its line does not come, one byte after the other neither', async () => {
    const { path } = await openScene({ clientMs: 100 });
    const silent = connect({ path });
    const dripping = connect({ path });
    const drip = setInterval(() => dripping.write(' '), 10);
    onTestFinished(() => clearInterval(drip));
    const closed = [silent, dripping].map((client) => {
      client.on('error', () => undefined);
      return new Promise<void>((resolve) => client.once('close', () => resolve()));
    });
    await Promise.all(closed);
    expect(await ask(path)).toMatchObject({ phase: 'running' });
  });

  it('is hung up on when it does not go', async () => {
    const { path } = await openScene({ clientMs: 100 });
    const client = connect({ path, allowHalfOpen: true });
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.on('error', () => undefined);
    client.write('{"do":"status"}\n');
    await new Promise((resolve) => client.once('data', resolve));
    const write = setInterval(() => client.write('x'), 20);
    await closed;
    clearInterval(write);
  });

  it('is hung up on when it is the handler that never ends, and nobody else waits for that', async () => {
    const { path } = await openScene({ clientMs: 100, handle: { report: () => new Promise(() => undefined) } });
    const stuck = sendRaw(path, '{"do":"report"}\n', true);
    expect(await ask(path)).toMatchObject({ phase: 'running' });
    expect(await stuck).toBe('');
  });

  it('that left does no harm', async () => {
    const answers: (() => void)[] = [];
    const { path, records } = await openScene({
      handle: { stop: () => new Promise((resolve) => answers.push(() => resolve({ phase: 'draining' }))) },
    });
    const client = connect({ path });
    client.write('{"do":"stop"}\n');
    await until(() => answers.length === 1, 'the request');
    client.destroy();
    await new Promise((resolve) => setTimeout(resolve, 10));
    answers[0]?.();
    expect(await ask(path)).toMatchObject({ phase: 'running' });
    expect(records).toEqual([]);
  });
});

describe('a handler', () => {
  it('may refuse, with a hint', async () => {
    const { path, records } = await openScene({
      handle: {
        restart() {
          throw new ControlRefusal('Not now.', 'Try later.');
        },
        stop: () => Promise.reject(new ControlRefusal('Never.')),
      },
    });
    expect(JSON.parse(await sendRaw(path, '{"do":"restart"}\n'))).toEqual({
      ok: false,
      error: { code: 'REFUSED', message: 'Not now.', hint: 'Try later.' },
    });
    expect(JSON.parse(await sendRaw(path, '{"do":"stop"}\n'))).toEqual({
      ok: false,
      error: { code: 'REFUSED', message: 'Never.' },
    });
    expect(records).toEqual([]);
  });

  it('that fails is logged with its stack, of which the client sees nothing', async () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const { path, records } = await openScene({
      handle: {
        status() {
          throw new TypeError('canary');
        },
        token: () => Promise.reject(new Error('canary')),
        report: () => circular,
      },
    });
    for (const what of ['status', 'token', 'report']) {
      const answer = await sendRaw(path, `{"do":"${what}"}\n`);
      expect(errorOf(answer)).toEqual({ code: 'INTERNAL_ERROR', message: expect.stringContaining(`"${what}"`) });
      expect(answer).not.toContain('canary');
      expect(answer).not.toContain('.ts');
    }
    expect(records).toHaveLength(3);
    expect(records[0]).toMatchObject({ level: 50, request: 'status', err: { name: 'TypeError', message: 'canary' } });
  });
});

describe('many clients', () => {
  it('are all answered, 100 at once', async () => {
    const { path } = await openScene();
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(path)));
    expect(answers).toHaveLength(100);
    for (const answer of answers) expect(answer).toEqual(statusOf());
  });

  it('have 32 places, and the next one gets the place of the first who leaves', async () => {
    const { path } = await openScene();
    const guests = Array.from({ length: 32 }, () => connect({ path }));
    for (const guest of guests) guest.on('error', () => undefined);
    await Promise.all(guests.map((guest) => new Promise((resolve) => guest.once('connect', resolve))));
    expect(await sendRaw(path, '{"do":"status"}\n')).toBe('');
    const waiting = ask(path);
    await new Promise((resolve) => setTimeout(resolve, 30));
    guests[0]?.destroy();
    expect(await waiting).toMatchObject({ phase: 'running' });
    for (const guest of guests) guest.destroy();
  });
});

describe.runIf(process.platform !== 'win32')('the file of the socket', () => {
  const modeOf = (path: string): number => lstatSync(path).mode & 0o777;

  it('belongs to its owner only, and so does a folder that had to be made', async () => {
    const before = process.umask(0o000);
    onTestFinished(() => void process.umask(before));
    const { path } = await openScene();
    expect(process.umask()).toBe(0o000);
    expect(lstatSync(path).isSocket()).toBe(true);
    expect([modeOf(path), modeOf(dirname(path))]).toEqual([0o600, 0o700]);
    expect(readdirSync(dirname(path))).toEqual(['control.sock']);
  });

  it('is never there with another mode, whatever the mask', async () => {
    const before = process.umask(0o000);
    onTestFinished(() => void process.umask(before));
    const folder = join(temporaryDirectory(), 'run');
    const opening = openControlSocket({
      path: join(folder, 'control.sock'),
      handle: handlerOf(),
      log: openMemoryLog().log,
    });
    // Bound before anything else can run.
    expect(readdirSync(folder).map((name) => modeOf(join(folder, name)))).toEqual([0o600]);
    (await opening).close();
  });

  it('is put in place of one that a dead gateway left', async () => {
    const path = join(temporaryDirectory(), 'control.sock');
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    // Moved away and back, the file outlives its server, as it does when the server is killed.
    renameSync(path, `${path}.kept`);
    await new Promise((resolve) => server.close(resolve));
    renameSync(`${path}.kept`, path);
    await expect(ask(path)).rejects.toThrow('ECONNREFUSED');
    await openScene({ path });
    expect(await ask(path)).toMatchObject({ phase: 'running' });
  });

  it('is put in place of a plain file and of a link, whose target stays', async () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'target'), 'precious');
    symlinkSync(join(folder, 'target'), join(folder, 'link.sock'));
    writeFileSync(join(folder, 'file.sock'), 'x');
    for (const name of ['link.sock', 'file.sock']) {
      await openScene({ path: join(folder, name) });
      expect(await ask(join(folder, name))).toMatchObject({ phase: 'running' });
    }
    expect(statSync(join(folder, 'target')).size).toBe(8);
  });

  it('is removed at the end, together with every conversation', async () => {
    const { path, socket } = await openScene({ handle: { report: () => new Promise(() => undefined) } });
    const pending = sendRaw(path, '{"do":"report"}\n', true);
    await ask(path);
    socket.close();
    expect(existsSync(path)).toBe(false);
    expect(await pending).toBe('');
    await expect(ask(path)).rejects.toThrow('no control socket');
    expect(readdirSync(dirname(path))).toEqual([]);
    socket.close();
  });

  it('stays when it is the one of a successor by then', async () => {
    const first = await openScene();
    const second = await openScene({ path: first.path, handle: { status: () => statusOf({ instanceId: 'b' }) } });
    first.socket.close();
    expect(await ask(second.path)).toMatchObject({ instanceId: 'b' });
    expect(existsSync(second.path)).toBe(true);
  });

  it('may be gone by the end', async () => {
    const { path, socket } = await openScene();
    rmSync(path);
    socket.close();
    expect(existsSync(path)).toBe(false);
  });
});

describe.runIf(process.platform !== 'win32')('a socket that cannot be opened', () => {
  const open = (path: string) => openControlSocket({ path, handle: handlerOf(), log: openMemoryLog().log });

  it('is an error that says where and why, and nothing is left', async () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'control.sock'));
    writeFileSync(join(folder, 'file'), '');
    await expect(open(join(folder, 'control.sock'))).rejects.toThrow(/control\.sock cannot be opened: E/);
    await expect(open(join(folder, 'file', 'control.sock'))).rejects.toThrow(/cannot be opened: E/);
    expect(readdirSync(folder).sort()).toEqual(['control.sock', 'file']);
  });

  it('is one in a shared place whose folder is a link or open to others', async () => {
    const shared = join(temporaryDirectory(), 'tmp');
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const own = join(shared, 'own');
    await openScene({ path: join(own, 'a.sock') });
    expect(lstatSync(own).mode & 0o777).toBe(0o700);
    chmodSync(own, 0o755);
    await expect(open(join(own, 'b.sock'))).rejects.toThrow('is open to other users');
    symlinkSync(temporaryDirectory(), join(shared, 'link'));
    await expect(open(join(shared, 'link', 'b.sock'))).rejects.toThrow('is no directory');
  });

  it.runIf(process.getuid?.() === 0)('is one in a shared place whose folder belongs to somebody else', async () => {
    const shared = join(temporaryDirectory(), 'tmp');
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    mkdirSync(join(shared, 'theirs'), { mode: 0o700 });
    await promisify(execFile)('chown', ['12345', join(shared, 'theirs')]);
    await expect(open(join(shared, 'theirs', 'b.sock'))).rejects.toThrow('belongs to another user');
  });
});

describe('a process that has nothing else to do', () => {
  it('ends, although its socket is open and somebody is talking to it', async () => {
    const path = join(temporaryDirectory(), 'control.sock');
    const { stdout } = await promisify(execFile)(process.execPath, [programPath('control-holder'), path], {
      timeout: 10_000,
    });
    expect(stdout).toBe('connected\n');
  });
});
