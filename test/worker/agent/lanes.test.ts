import { describe, expect, it, vi } from 'vitest';
import { createLanes, type Lanes } from '../../../worker/agent/lanes.ts';
import { createRecordingLog } from '../recording-log.ts';

type Row = { sessionKey: string; text: string };

type Bench = {
  lanes: Lanes<Row>;
  queue: Row[];
  done: string[];
  /** Most rows that were worked on at the same time, and most of one session. */
  most: { all: number; session: number };
  fail: { claim: number; run: number };
};

function createBench(maxConcurrent = 3): Bench {
  const running: string[] = [];
  const bench = { queue: [] as Row[], done: [] as string[], most: { all: 0, session: 0 }, fail: { claim: 0, run: 0 } };
  const lanes = createLanes<Row>({
    maxConcurrent,
    log: createRecordingLog().log,
    async claim(sessionKey) {
      await new Promise((resolve) => setImmediate(resolve));
      if (bench.fail.claim > 0) {
        bench.fail.claim -= 1;
        throw new Error('disk');
      }
      const index = bench.queue.findIndex((row) => row.sessionKey === sessionKey);
      return index === -1 ? undefined : bench.queue.splice(index, 1)[0];
    },
    async run({ sessionKey, text }) {
      running.push(sessionKey);
      bench.most.all = Math.max(bench.most.all, running.length);
      bench.most.session = Math.max(bench.most.session, running.filter((key) => key === sessionKey).length);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running.splice(running.indexOf(sessionKey), 1);
      if (bench.fail.run > 0) {
        bench.fail.run -= 1;
        throw new Error('disk');
      }
      bench.done.push(text);
    },
  });
  return { ...bench, lanes };
}

const row = (sessionKey: string, text: string): Row => ({ sessionKey, text });

describe('lanes', () => {
  it('work the rows of a session one after the other and those of others beside them, up to their number', async () => {
    const { lanes, queue, done, most } = createBench(3);
    for (let index = 0; index < 30; index += 1) queue.push(row(`s${index % 6}`, `${index}`));
    for (let index = 0; index < 6; index += 1) lanes.wake(`s${index}`);
    await vi.waitFor(() => expect(done).toHaveLength(30), { interval: 2 });
    expect(most).toEqual({ all: 3, session: 1 });
    for (let session = 0; session < 6; session += 1) {
      const order = done.filter((text) => Number(text) % 6 === session).map(Number);
      expect(order).toEqual([...order].sort((left, right) => left - right));
    }
  });

  it('keep to their number also for rows that are claimed already', async () => {
    const { lanes, done, most } = createBench(2);
    for (let index = 0; index < 6; index += 1) lanes.take(row(`s${index}`, `${index}`));
    lanes.take(row('s5', 'second'));
    await vi.waitFor(() => expect(done).toHaveLength(7), { interval: 2 });
    expect(most).toEqual({ all: 2, session: 1 });
    expect(done.indexOf('second')).toBeGreaterThan(done.indexOf('5'));
  });

  it('have room for a session that is not worked on, while one is free', () => {
    const { lanes } = createBench(1);
    expect(lanes.hasRoomFor('a')).toBe(true);
    lanes.take(row('a', '1'));
    expect(lanes.hasRoomFor('a')).toBe(false);
    expect(lanes.hasRoomFor('b')).toBe(false);
    expect(lanes.active).toBe(1);
  });

  it('work a row that was taken while its lane asked for another in vain', async () => {
    const { lanes, done } = createBench();
    lanes.wake('a');
    lanes.take(row('a', 'taken'));
    await vi.waitFor(() => expect(done).toEqual(['taken']), { interval: 2 });
  });

  it('do not miss a wake that comes while a lane ends', async () => {
    const { lanes, queue, done } = createBench();
    for (let index = 0; index < 50; index += 1) {
      queue.push(row('a', `${index}`));
      lanes.wake('a');
      await new Promise((resolve) => (index % 3 === 0 ? setTimeout(resolve, 2) : setImmediate(resolve)));
    }
    await vi.waitFor(() => expect(done).toHaveLength(50), { interval: 2 });
  });

  it('try again a moment after the store failed, and keep what was taken', async () => {
    const { lanes, queue, done, fail } = createBench();
    fail.claim = 1;
    queue.push(row('a', '1'));
    lanes.wake('a');
    await vi.waitFor(() => expect(done).toEqual(['1']), { interval: 5, timeout: 2_000 });
    fail.run = 1;
    lanes.take(row('b', 'fails'));
    lanes.take(row('b', 'goes on'));
    await vi.waitFor(() => expect(done).toEqual(['1', 'goes on']), { interval: 5, timeout: 2_000 });
  });

  it('drain: what runs ends, nothing more is claimed', async () => {
    const { lanes, queue, done } = createBench();
    queue.push(row('a', '1'), row('a', '2'), row('b', '3'));
    lanes.wake('a');
    await vi.waitFor(() => expect(queue).toHaveLength(2), { interval: 1 });
    await lanes.drain();
    lanes.wake('b');
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(done).toEqual(['1']);
    expect(lanes.active).toBe(0);
  });

  it('drain: what was claimed while it began is worked on all the same', async () => {
    const { lanes, done } = createBench();
    const drained = lanes.drain();
    lanes.take(row('a', '1'));
    await vi.waitFor(() => expect(done).toEqual(['1']), { interval: 1 });
    await drained;
  });
});
