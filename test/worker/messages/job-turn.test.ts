import { describe, expect, it } from 'vitest';
import { isSilence, judgeJobTurn } from '../../../worker/messages/job-turn.ts';

describe('an answer', () => {
  it.each(['NO_REPLY', 'HEARTBEAT_OK', ' `HEARTBEAT_OK`.\n', '**NO_REPLY**'])('"%s" is silence', (text) => {
    expect(isSilence(text, 0)).toBe(true);
  });

  it.each(['Hello', '', 'NO_REPLYS', 'Say NO_REPLY when you are done with it', 'NO_REPLY but the oven is on'])(
    '"%s" is none',
    (text) => {
      expect(isSilence(text, 0)).toBe(false);
    },
  );

  it('with a few more words is silence as far as the job allows', () => {
    expect(isSilence('HEARTBEAT_OK all good', 8)).toBe(true);
    expect(isSilence('HEARTBEAT_OK all good', 7)).toBe(false);
  });
});

describe('the end of the turn of a job', () => {
  const job = { isLastTry: true, ackMaxChars: 0 };

  it.each([
    ['an answer', { kind: 'text', text: 'hi', status: 'ok' }, job, { end: 'ok', isTold: true }],
    ['silence', { kind: 'text', text: 'NO_REPLY', status: 'ok' }, job, { end: 'silent', isTold: false }],
    ['a stop', { kind: 'text', text: 'half', status: 'aborted' }, job, { end: 'aborted', isTold: false }],
    ['a failure', { kind: 'error', text: 'no', status: 'error' }, job, { end: 'error', isTold: true }],
    [
      'a failure that is tried again',
      { kind: 'error', text: 'no', status: 'error' },
      { ...job, isLastTry: false },
      { end: 'error', isTold: false },
    ],
    [
      'what ended the gateway twice',
      { kind: 'error', text: 'no', status: 'error', isGivenUp: true },
      { ...job, isLastTry: false },
      { end: 'aborted', isTold: true },
    ],
  ] as const)('by %s is told or not', (_what, answer, turn, verdict) => {
    expect(judgeJobTurn(turn, answer)).toEqual(verdict);
  });
});
