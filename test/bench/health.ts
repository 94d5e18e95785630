import autocannon from 'autocannon';
import { type Bench, median, ratioRow } from './result.ts';
import { startGateway, startPlain } from './target.ts';

const ROUNDS = 4;
const SECONDS = 3;

/** Requests per second on `/health` over 50 connections, in turns with the plain server so that both see the same machine. */
export const healthBench: Bench = {
  name: 'health',
  async run() {
    const plain = await startPlain('plain-router.mjs');
    const gateway = await startGateway();
    const ratios: number[] = [];
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const [their, our] = [await measure(plain.url), await measure(gateway.url)];
      // The first round warms both up.
      if (round === 0) continue;
      theirs.push(their);
      ours.push(our);
      ratios.push(our / their);
    }
    await Promise.all([plain.stop(), gateway.stop()]);
    const [mine, baseline] = [median(ours), median(theirs)].map((value) => `${value.toFixed(0)} req/s`);
    return [
      ratioRow({
        what: 'GET /health, 50 connections (bare Koa + router)',
        ours: mine ?? '',
        baseline: baseline ?? '',
        ratio: median(ratios),
        goal: { atLeast: 0.75 },
      }),
    ];
  },
};

async function measure(url: string): Promise<number> {
  const result = await autocannon({ url: `${url}/health`, connections: 50, duration: SECONDS });
  if (result.errors + result.non2xx > 0)
    throw new Error(`${result.errors} errors and ${result.non2xx} bad answers from ${url}`);
  return result.requests.average;
}
