import { GrammyError, HttpError } from 'grammy/web';
import { describe, expect, it } from 'vitest';
import { NoAnswer } from '../../../../lib/deadline.ts';
import { toDeliveryError } from '../../../../worker/channels/telegram/errors.ts';
import { diagnosePoll } from '../../../../worker/channels/telegram/poll-trouble.ts';
import { POLL_TIMING } from '../../../../worker/channels/telegram/timing.ts';

function answer(code: number, description: string, parameters: object = {}): GrammyError {
  return new GrammyError('failed', { ok: false, error_code: code, description, parameters }, 'sendMessage', {});
}

function broken(cause: object): HttpError {
  return new HttpError('failed', new TypeError('fetch failed', { cause: Object.assign(new Error('socket'), cause) }));
}

describe('a failed send', () => {
  it.each([
    ['Rejected', answer(400, 'Bad Request: chat not found')],
    ['Rejected', answer(403, 'Forbidden: user is deactivated')],
    ['Rejected', answer(400, 'Bad Request: message is too long')],
    ['Unreachable', answer(401, 'Unauthorized')],
    ['Unreachable', answer(404, 'Not Found')],
    ['Unknown', answer(500, 'Internal Server Error')],
    ['RateLimited', answer(429, 'Too Many Requests', { retry_after: 3 })],
    ['Unreachable', broken({ code: 'ECONNREFUSED' })],
    ['Unreachable', broken({ code: 'EAI_AGAIN' })],
    ['Unreachable', broken({ code: 'UND_ERR_CONNECT_TIMEOUT' })],
    ['Unreachable', broken({ code: 'ETIMEDOUT', syscall: 'connect' })],
    ['Unreachable', broken({ code: 'CERT_HAS_EXPIRED' })],
    ['Unknown', broken({ code: 'ETIMEDOUT', syscall: 'read' })],
    ['Unknown', broken({ code: 'ECONNRESET' })],
    ['Unknown', broken({ code: 'UND_ERR_SOCKET' })],
    ['Unknown', new HttpError('failed', new SyntaxError('Unexpected token <'))],
  ])('is %s for %s', (name, error) => {
    expect(toDeliveryError(error).name).toBe(name);
  });

  it.each([
    [true, answer(403, 'Forbidden: bot was blocked by the user')],
    [true, answer(403, 'Forbidden: bot was kicked from the supergroup chat')],
    [true, answer(403, 'Forbidden: user is deactivated')],
    [true, answer(400, 'Bad Request: chat not found')],
    [false, answer(400, 'Bad Request: message is too long')],
    [false, answer(400, 'Bad Request: not enough rights to send text messages to the chat')],
  ])('says that the peer is gone (%s) for %s', (isPeerGone, error) => {
    expect(toDeliveryError(error)).toMatchObject({ name: 'Rejected', isPeerGone });
  });

  it('is waited for as long as the server asks, and a little when it does not say', () => {
    expect(toDeliveryError(answer(429, 'x', { retry_after: 3 }))).toMatchObject({ retryAfterMs: 3_000 });
    expect(toDeliveryError(answer(429, 'x'))).toMatchObject({ retryAfterMs: 5_000 });
  });
});

describe('a failed poll', () => {
  const waitOf = (error: unknown, failures: number) => {
    const trouble = diagnosePoll(error, failures, POLL_TIMING);
    return 'waitMs' in trouble ? trouble.waitMs : -1;
  };

  it('is tried again after 1 to 30 seconds, later each time', () => {
    for (let round = 0; round < 200; round += 1) {
      expect(waitOf(broken({ code: 'ECONNRESET' }), 1)).toBeGreaterThanOrEqual(1_000);
      expect(waitOf(broken({ code: 'ECONNRESET' }), 1)).toBeLessThanOrEqual(2_000);
      expect(waitOf(new NoAnswer('x'), 10_000)).toBeGreaterThanOrEqual(15_000);
      expect(waitOf(new NoAnswer('x'), 10_000)).toBeLessThanOrEqual(30_000);
      expect(waitOf(answer(409, 'Conflict'), 1)).toBeGreaterThanOrEqual(5_000);
      expect(waitOf(answer(409, 'Conflict'), 50)).toBeLessThanOrEqual(30_000);
    }
  });

  it.each([
    ['unauthorized', answer(401, 'Unauthorized')],
    ['unauthorized', answer(404, 'Not Found')],
    ['conflict', answer(409, 'Conflict: terminated by other getUpdates request')],
    ['webhook', answer(409, "Conflict: can't use getUpdates method while webhook is active")],
    ['retry', answer(429, 'Too Many Requests', { retry_after: 2 })],
    ['retry', answer(502, 'Bad Gateway')],
    ['retry', new Error('database is locked')],
  ])('is "%s" for %s', (kind, error) => {
    expect(diagnosePoll(error, 1, POLL_TIMING).kind).toBe(kind);
  });
});
