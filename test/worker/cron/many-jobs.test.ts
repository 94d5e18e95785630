import { expect, it } from 'vitest';
import { createCronBench, HOURLY, NOON } from './cron-bench.ts';

const JOBS = 10_000;

it(`${JOBS} jobs cost a look that finds nothing to do no more than one, and are claimed without holding up the rest`, async () => {
  const bench = await createCronBench();
  const inserts = Array.from({ length: JOBS }, (_none, index) =>
    bench.store.cronJobs.insert({
      id: `job-${index}`,
      // Most are due much later; some hundred at noon.
      definition: { ...HOURLY, payload: { kind: 'systemEvent', text: 'x' } },
      enabled: true,
      next: { slotAt: NOON + (index % 50) * 60_000, dueAt: NOON + (index % 50) * 60_000 },
    }),
  );
  await Promise.all(inserts);
  const startedAt = performance.now();
  for (let count = 0; count < 20; count += 1) expect(await bench.round(NOON - 5_000)).toBe(5_000);
  expect((performance.now() - startedAt) / 20).toBeLessThan(200);

  let longestMs = 0;
  let last = performance.now();
  const pulse = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
  }, 5);
  await bench.round(NOON);
  clearInterval(pulse);
  expect(longestMs).toBeLessThan(1_000);
  const states = await Promise.all([0, 50, 9_950].map((index) => bench.states(`job-${index}`)));
  expect(states.map(([state]) => state)).not.toContain(undefined);
  expect(await bench.states('job-1')).toEqual([]);
});
