import { describe, expect, it } from 'vitest';
import type { TelegramCall } from '../emulators/telegram/control-contract.ts';
import { type Evidence, findProblems, judge as judgeAll } from './invariants.ts';

const SET_ASIDE = 'Your message interrupted the gateway twice …';
const MARK = '\n\n(possible repeat after an interruption)';

const send = (text: string, more: Partial<TelegramCall> = {}): TelegramCall => ({
  ...{ seq: 1, at: 1_000, finishedAt: 1_010, outcome: 200, fault: null, processed: true },
  ...{ token: 't', method: 'sendMessage', params: { chat_id: 1, text } },
  ...more,
});

const gather = (answers: string[], more: Partial<Evidence> = {}): Evidence => ({
  asked: [
    { chat: 1, answer: 'one' },
    { chat: 1, answer: 'two a two b' },
  ],
  answers: new Map([[1, answers.map((text) => ({ text }))]]),
  ...{ calls: [], kills: [], logs: '', secrets: ['canary'] },
  ...more,
});
const judge = (answers: string[], more?: Partial<Evidence>): string[] => findProblems(gather(answers, more));

describe('the invariant checker is content with', () => {
  it.each([
    ['every answer once, whole or in parts', ['one', 'two a', 'two b']],
    ['a marked repeat', ['one', `one${MARK}`, 'two a two b', `two a two b${MARK}`]],
    ['a marked text that came once only', [`one${MARK}`, 'two a', `two b${MARK}`]],
    ['the word that a message was set aside', [SET_ASIDE, 'two a two b']],
    ['two messages that were set aside, the second word marked', [SET_ASIDE, `${SET_ASIDE}${MARK}`]],
    ['the same word twice, the first one repeated', [SET_ASIDE, `${SET_ASIDE}${MARK}`, SET_ASIDE]],
  ])('%s', (_what, answers) => {
    expect(judge(answers)).toEqual([]);
  });
});

describe('the invariant checker notices', () => {
  it.each([
    ['lost', 'a lost answer', ['one']],
    ['lost', 'a lost part', ['one', 'two b']],
    ['lost', 'a missing end', ['one', 'two a']],
    ['out of order', 'swapped parts', ['one', 'two b', 'two a']],
    ['out of order', 'swapped answers', ['two a two b', 'one']],
    ['doubled', 'an answer that came twice without a mark', ['one', 'one', 'two a two b']],
    ['doubled', 'the last answer, twice without a mark', ['one', 'two a two b', 'two a two b']],
    ['unasked', 'an answer to nobody', ['one', 'two a two b', 'three']],
  ])('as %s: %s', (kind, _what, answers) => {
    expect(judgeAll(gather(answers))).toMatchObject([{ kind }]);
  });

  it('a mark without a send that was under way at a kill', () => {
    const answers = ['one', `one${MARK}`, 'two a two b'];
    const calls = [send('one'), send(`one${MARK}`, { at: 9_000, finishedAt: 9_010 })];
    expect(judge(answers, { calls, kills: [5_000] })).toEqual([expect.stringContaining('marked without need')]);
    expect(judge(answers, { calls, kills: [1_005] })).toEqual([]);
  });

  it('no fault in a mark after a refused send when the next try was cut off before it left', () => {
    const calls = [send('one', { outcome: 429, processed: false }), send(`one${MARK}`, { at: 9_000 })];
    const answers = [`one${MARK}`, 'two a two b'];
    expect(judge(answers, { calls, kills: [5_000] })).toEqual([]);
    expect(judge(answers, { calls, kills: [] })).toEqual([expect.stringContaining('marked without need')]);
  });

  it('polls that overlap, secrets in a log', () => {
    const poll = send('', { method: 'getUpdates', pollsInFlight: 2 });
    const answers = ['one', 'two a two b'];
    expect(judge(answers, { calls: [poll], logs: 'a canary sings' })).toHaveLength(2);
  });
});
