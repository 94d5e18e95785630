import { execFile } from 'node:child_process';
import { renameSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ControlRefused, ControlUnanswered, ControlUnavailable, callControl } from '../../lib/control-client.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Listens on a socket of its own and treats each connection as the test wants. */
async function listen(treat: (socket: Socket, count: number) => void): Promise<string> {
  const path = join(temporaryDirectory(), 'control.sock');
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    count += 1;
    treat(socket, count);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

const caught = (path: string, timeoutMs?: number): Promise<unknown> =>
  callControl(path, { do: 'status' }, timeoutMs).then(
    (result) => ({ result }),
    (error: unknown) => error,
  );

describe('callControl', () => {
  it('sends one line with the version of the protocol', async () => {
    let line = '';
    const path = await listen((socket) =>
      socket.on('data', (chunk) => {
        line += String(chunk);
        if (line.endsWith('\n')) socket.end('{"ok":true,"result":{"generation":4}}\n');
      }),
    );
    expect(await callControl(path, { do: 'restart', force: false, reason: '中文' })).toEqual({ generation: 4 });
    expect(line).toBe('{"v":1,"do":"restart","force":false,"reason":"中文"}\n');
  });

  it('rejects with ControlUnavailable when there is no socket', async () => {
    const error = await caught(join(temporaryDirectory(), 'control.sock'));
    expect(error).toBeInstanceOf(ControlUnavailable);
  });

  it('rejects with ControlUnavailable when nobody listens on the socket that is there', async () => {
    const path = join(temporaryDirectory(), 'control.sock');
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    renameSync(path, `${path}.kept`);
    await new Promise((resolve) => server.close(resolve));
    const error = await caught(`${path}.kept`);
    expect(error).toBeInstanceOf(ControlUnavailable);
    expect(String(error)).toContain('ECONNREFUSED');
  });

  it.runIf(process.getuid?.() === 0)('lets the superuser ask the gateways of others', async () => {
    const path = await listen((socket) => socket.end('{"ok":true,"result":1}\n'));
    await promisify(execFile)('chown', ['12345', path]);
    expect(await caught(path)).toEqual({ result: 1 });
  });

  it('rejects with ControlRefused and what the gateway said', async () => {
    const refusal = { ok: false, error: { code: 'REFUSED', message: 'No.', hint: 'Ask again.' } };
    const path = await listen((socket) => socket.end(`${JSON.stringify(refusal)}\n`));
    const error = await caught(path);
    expect(error).toBeInstanceOf(ControlRefused);
    expect(error).toMatchObject({ code: 'REFUSED', message: 'No.', hint: 'Ask again.' });
  });

  it('rejects with ControlUnanswered when no answer comes in time', async () => {
    const path = await listen(() => undefined);
    const error = await caught(path, 50);
    expect(error).toBeInstanceOf(ControlUnanswered);
    expect(String(error)).toContain('50 ms');
  });

  it('rejects with ControlUnanswered when the answer cannot be understood', async () => {
    for (const answer of ['hello\n', '{"result":1}\n', '{"ok":tr']) {
      const path = await listen((socket) => socket.end(answer));
      expect(await caught(path)).toBeInstanceOf(ControlUnanswered);
    }
  });

  it('asks again when it is hung up on at once, until its time is up', async () => {
    const path = await listen((socket, count) => {
      if (count < 4) socket.destroy();
      else socket.end('{"ok":true,"result":"at last"}\n');
    });
    expect(await caught(path)).toEqual({ result: 'at last' });
    const closed = await listen((socket) => void socket.destroy());
    expect(await caught(closed, 100)).toBeInstanceOf(ControlUnanswered);
  });

  it('reads an answer of any length', async () => {
    const text = 'é'.repeat(300_000);
    const path = await listen((socket) => socket.end(`${JSON.stringify({ ok: true, result: text })}\n`));
    expect(await caught(path)).toEqual({ result: text });
  });
});
