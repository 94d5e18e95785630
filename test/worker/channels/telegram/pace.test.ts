import { expect, test } from 'vitest';
import { createPace } from '../../../../worker/channels/telegram/pace.ts';

function paceAt(perSecond: number) {
  const clock = { now: 1_000_000 };
  return { clock, pace: createPace(perSecond, () => clock.now) };
}

test('a short burst to one person goes out at once, what follows once per second', () => {
  const { pace } = paceAt(1_000);
  const waits = Array.from({ length: 12 }, () => pace.book('7'));
  expect(waits.slice(0, 10)).toEqual(Array(10).fill(0));
  expect(waits.slice(10)).toEqual([1_000, 2_000]);
});

test('a group gets twenty messages per minute after its burst', () => {
  const { pace, clock } = paceAt(1_000);
  for (let index = 0; index < 10; index += 1) pace.book('-100');
  expect(pace.book('-100')).toBe(3_000);
  clock.now += 60_000;
  const waits = Array.from({ length: 20 }, () => pace.book('-100'));
  expect(waits.filter((wait) => wait === 0)).toHaveLength(10);
});

test('many chats share the rate of the account', () => {
  const { pace, clock } = paceAt(25);
  const waits = Array.from({ length: 50 }, (_value, index) => pace.book(String(index)));
  expect(waits.filter((wait) => wait === 0)).toHaveLength(25);
  expect(waits.at(-1)).toBe(1_000);
  clock.now += 2_000;
  expect(pace.book('77')).toBe(0);
});

test('a busy chat does not hold up another', () => {
  const { pace } = paceAt(1_000);
  for (let index = 0; index < 100; index += 1) pace.book('7');
  expect(pace.book('8')).toBe(0);
});

test('chats that have been quiet are forgotten', () => {
  const { pace, clock } = paceAt(1_000_000);
  for (let index = 0; index < 25_000; index += 1) {
    expect(pace.book(String(index))).toBe(0);
    clock.now += 10;
  }
});
