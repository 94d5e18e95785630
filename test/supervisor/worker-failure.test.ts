import { describe, expect, it } from 'vitest';
import { failureFrom, listenFailure } from '../../supervisor/worker-failure.ts';

describe('listenFailure', () => {
  it.each(['EADDRINUSE', 'listen EADDRINUSE: address already in use'])('is a busy port for %j', (reason) => {
    expect(listenFailure({ t: 'worker.listen-failed', host: '127.0.0.1', reason }, 18_790)).toEqual({
      exitCode: 69,
      message: 'Port 18790 is already in use. Use --force to kill existing process.',
      hint: expect.any(String),
    });
  });

  it('names the address and the reason otherwise', () => {
    const failure = listenFailure({ t: 'worker.listen-failed', host: '::1', reason: 'EINVAL' }, 18_790);
    expect(failure.message).toBe('Cannot listen on ::1:18790: EINVAL.');
  });
});

describe('failureFrom', () => {
  it('keeps what the operator is told and nothing else', () => {
    const message = { t: 'worker.fatal', exitCode: 78, message: 'why', hint: 'what to do' } as const;
    expect(failureFrom(message)).toEqual({ exitCode: 78, message: 'why', hint: 'what to do' });
    expect(failureFrom({ exitCode: 78, message: 'why' })).toEqual({ exitCode: 78, message: 'why' });
  });
});
