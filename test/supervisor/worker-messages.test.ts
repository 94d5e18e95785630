import { describe, expect, it } from 'vitest';
import { type ReportedMessage, readMessage } from '../../supervisor/worker-messages.ts';
import { heartbeatOf, liveWorkerOf } from './live-worker-samples.ts';

const PORT = 18_790;

describe('a message of a worker', () => {
  it.each<[string, ReportedMessage, object | null]>([
    ['that it is there', { t: 'worker.hello', pid: 7, version: '1' }, { t: 'worker.greeted', generation: 3 }],
    ['that it listens', { t: 'worker.listening', hosts: ['127.0.0.1'], port: PORT }, null],
    ['that it is warm', { t: 'worker.warm' }, { t: 'worker.warm', generation: 3 }],
    ['that it is ready', { t: 'worker.ready', bootMs: 240 }, { t: 'worker.ready', generation: 3 }],
    [
      'that it goes on as it was',
      { t: 'worker.rebuild-refused', message: 'no' },
      { t: 'worker.rebuild-refused', generation: 3, message: 'no' },
    ],
    ['that it gave the lease up', { t: 'lease.released', epoch: 5 }, { t: 'lease.released', generation: 3, epoch: 5 }],
  ])('(%s) is an event about that worker, or none', (_what, message, event) => {
    expect(readMessage(liveWorkerOf(3), message, PORT)).toEqual(event);
  });

  it('keeps how long it took to boot', () => {
    const worker = liveWorkerOf(3);
    readMessage(worker, { t: 'worker.ready', bootMs: 240 }, PORT);
    expect(worker.bootMs).toBe(240);
  });

  it('keeps its last heartbeat and when it came', () => {
    const worker = liveWorkerOf(3);
    const before = Date.now();
    expect(readMessage(worker, heartbeatOf(1), PORT)).toBeNull();
    expect(readMessage(worker, heartbeatOf(2), PORT)).toBeNull();
    const { t: _type, ...figures } = heartbeatOf(2);
    const { at, ...kept } = worker.heartbeat ?? { at: '' };
    expect(kept).toEqual(figures);
    expect(Date.parse(at)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(at)).toBeLessThanOrEqual(Date.now());
  });
});

describe('a worker that cannot go on', () => {
  it('says why, with the way out if it knows one', () => {
    const worker = liveWorkerOf(3);
    const fatal = { t: 'worker.fatal', exitCode: 78, message: 'gateway.port: must be a number' } as const;
    expect(readMessage(worker, { ...fatal, hint: 'Correct the file.' }, PORT)).toEqual({
      ...{ t: 'worker.failed', generation: 3 },
      failure: { exitCode: 78, message: fatal.message, hint: 'Correct the file.' },
    });
    expect(readMessage(liveWorkerOf(3), fatal, PORT)).toEqual({
      ...{ t: 'worker.failed', generation: 3 },
      failure: { exitCode: 78, message: fatal.message },
    });
    expect(worker.fatalMessage).toBe(fatal.message);
  });

  it('has one reason, the first, whatever follows from it', () => {
    const worker = liveWorkerOf(3);
    readMessage(worker, { t: 'worker.fatal', exitCode: 78, message: 'the cause' }, PORT);
    readMessage(worker, { t: 'worker.fatal', exitCode: 1, message: 'what follows' }, PORT);
    expect(worker.fatalMessage).toBe('the cause');
  });

  it('because somebody else has the port says so in the words of the manual', () => {
    const worker = liveWorkerOf(3);
    const reason = 'Error: listen EADDRINUSE: address already in use';
    const event = readMessage(worker, { t: 'worker.listen-failed', host: '127.0.0.1', reason }, PORT);
    expect(event).toMatchObject({ t: 'worker.failed', failure: { exitCode: 69 } });
    expect(worker.fatalMessage).toBe('Port 18790 is already in use. Use --force to kill existing process.');
  });

  it('because it cannot listen says where and why', () => {
    const worker = liveWorkerOf(3);
    readMessage(worker, { t: 'worker.listen-failed', host: '127.0.0.1', reason: 'EINVAL' }, PORT);
    expect(worker.fatalMessage).toBe('Cannot listen on 127.0.0.1:18790: EINVAL.');
  });
});
