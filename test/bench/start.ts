import { type Bench, median, ratioRow } from './result.ts';
import { startGateway, startPlain } from './target.ts';

const ROUNDS = 8;

/** From spawn to the first healthy answer: two processes, a database and the channels, against one Koa hello. */
export const startBench: Bench = {
  name: 'start',
  async run() {
    const ours: number[] = [];
    const plain: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [times, launch] of [
        [plain, () => startPlain('plain-koa.mjs')],
        [ours, () => startGateway()],
      ] as const) {
        const target = await launch();
        times.push(target.startMs);
        await target.stop();
      }
    }
    const [mine, theirs] = [median(ours), median(plain)];
    return [
      ratioRow({
        what: 'Cold start to first healthy answer (bare Koa hello)',
        ours: `${mine.toFixed(0)} ms`,
        baseline: `${theirs.toFixed(0)} ms`,
        ratio: mine / theirs,
        goal: { atMost: 2.5 },
      }),
    ];
  },
};
