import { expect, it } from 'vitest';
import { describeEvidence } from './account.ts';

it('the account of a run counts what was asked, what came of it and what went wrong', () => {
  const evidence = {
    asked: [1, 1, 2, 3].map((chat, index) => ({ chat, answer: `answer ${index}` })),
    answers: new Map([
      [
        1,
        [{ text: 'answer 0' }, { text: 'answer 0\n\n(possible repeat after an interruption)' }, { text: 'answer 0' }],
      ],
      [2, [{ text: 'Your message interrupted the gateway twice, so it was set aside.' }]],
      [3, []],
    ]),
    ...{ calls: [], kills: [5, 6], logs: 'a canary sings', secrets: ['canary'] },
  };
  const [names, , values] = describeEvidence(evidence)
    .split('\n')
    .map((line) => line.split(' | ').map((cell) => cell.replaceAll('|', '').trim()));
  expect(Object.fromEntries((names ?? []).map((name, index) => [name, Number(values?.[index])]))).toEqual({
    asked: 4,
    answered: 2,
    'of these set aside': 1,
    kills: 2,
    'sends before the last kill': 0,
    lost: 1,
    doubled: 1,
    'marked repeats': 1,
    'marked without need': 0,
    'out of order': 0,
    unasked: 0,
    'poll overlaps': 0,
    'secrets in logs': 1,
  });
});
