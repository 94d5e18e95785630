import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSupervisorChannel, openWorkerChannel, waitForMessage } from '../../lib/ipc.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Two ends of a pipe that carries JSON. */
class End extends EventEmitter {
  connected = true;
  other: End | undefined;

  send(message: object): boolean {
    setImmediate(() => this.other?.emit('message', JSON.parse(JSON.stringify(message)), undefined));
    return true;
  }
}

function createPipe(): { supervisor: End; worker: End } {
  const [supervisor, worker] = [new End(), new End()];
  supervisor.other = worker;
  worker.other = supervisor;
  return { supervisor, worker };
}

describe('a channel', () => {
  it('carries messages both ways', async () => {
    const pipe = createPipe();
    const [supervisor, worker] = [openSupervisorChannel(pipe.supervisor), openWorkerChannel(pipe.worker)];
    const hello = waitForMessage(supervisor, 'worker.hello', 1_000);
    const drain = waitForMessage(worker, 'worker.drain', 1_000);
    expect(worker.send({ t: 'worker.hello', pid: 7, version: '1' })).toBe(true);
    supervisor.send({ t: 'worker.drain', mode: 'stop', requestsMs: 1, turnsMs: 2 });
    expect(await hello).toMatchObject({ pid: 7, version: '1' });
    expect(await drain).toMatchObject({ mode: 'stop', turnsMs: 2 });
  });

  it.each([
    ['no object', 'worker.hello'],
    ['nothing', null],
    ['another version', { v: 2, t: 'worker.hello' }],
    ['no version', { t: 'worker.hello' }],
    ['an unknown type', { v: 1, t: 'worker.dance' }],
    ['a type that is no text', { v: 1, t: 7 }],
    ['a type of the other direction', { v: 1, t: 'sup.welcome' }],
    ['a type that every object has', { v: 1, t: 'constructor' }],
    ['a field that is missing', { v: 1, t: 'worker.hello', pid: 7 }],
    ['a field of another kind', { v: 1, t: 'worker.hello', pid: '7', version: '1' }],
    ['a list that is none', { v: 1, t: 'worker.listening', hosts: { length: 1 }, port: 1 }],
    ['an optional field of another kind', { v: 1, t: 'worker.fatal', exitCode: 78, message: 'm', hint: 7 }],
  ])('ignores what is no message of ours: %s', (_what, raw) => {
    const pipe = createPipe();
    const seen: unknown[] = [];
    openSupervisorChannel(pipe.supervisor).onMessage((message) => seen.push(message));
    pipe.supervisor.emit('message', raw, undefined);
    expect(seen).toEqual([]);
  });

  it('passes handles on, and tells nothing more after it was left', () => {
    const pipe = createPipe();
    const seen: unknown[] = [];
    const stop = openWorkerChannel(pipe.worker).onMessage((_message, handle) => seen.push(handle));
    pipe.worker.emit('message', { v: 1, t: 'listener.take', host: 'h', port: 1 }, 'socket');
    stop();
    pipe.worker.emit('message', { v: 1, t: 'listener.take', host: 'h', port: 1 }, 'socket');
    expect(seen).toEqual(['socket']);
  });

  it('says false instead of failing when the other side is gone', () => {
    const { worker } = createPipe();
    const channel = openWorkerChannel(worker);
    worker.send = () => {
      throw new Error('ERR_IPC_CHANNEL_CLOSED');
    };
    expect(channel.send({ t: 'restart.request', reason: '' })).toBe(false);
    worker.connected = false;
    expect(channel.send({ t: 'restart.request', reason: '' })).toBe(false);
    expect(openWorkerChannel(new EventEmitter()).send({ t: 'restart.request', reason: '' })).toBe(false);
  });

  it('stops waiting after the time given, and leaves no listener behind', async () => {
    const pipe = createPipe();
    const channel = openSupervisorChannel(pipe.supervisor);
    await expect(waitForMessage(channel, 'worker.ready', 20)).rejects.toThrow('No worker.ready over IPC within 20 ms');
    expect(pipe.supervisor.listenerCount('message')).toBe(0);
  });

  it('works with a real process, and notices when that has gone', async () => {
    const program = join(temporaryDirectory(), 'child.mjs');
    writeFileSync(
      program,
      `process.send({ v: 1, t: 'worker.hello', pid: process.pid, version: 'x' });
       process.on('message', ({ t }) => t === 'worker.drain' && process.disconnect());`,
    );
    const child = fork(program, { execArgv: [] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const channel = openSupervisorChannel(child);
    expect(await waitForMessage(channel, 'worker.hello', 5_000)).toMatchObject({ pid: child.pid });
    const gone = new Promise((resolve) => child.once('disconnect', resolve));
    expect(channel.send({ t: 'worker.drain', mode: 'stop', requestsMs: 0, turnsMs: 0 })).toBe(true);
    await gone;
    expect(channel.send({ t: 'peer.exited', generation: 1 })).toBe(false);
  });
});
