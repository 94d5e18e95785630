import { setTimeout as sleep } from 'node:timers/promises';
import { pssMb } from './proc.ts';
import { type Bench, limitRow } from './result.ts';
import { startGateway, startPlain } from './target.ts';

const SETTLE_MS = 10_000;

/** Memory of both processes ten seconds after the start, shared pages counted once. */
export const memoryBench: Bench = {
  name: 'memory',
  async run() {
    const plain = await startPlain('plain-koa.mjs');
    const gateway = await startGateway();
    await sleep(SETTLE_MS);
    const [supervisor, worker, baseline] = [pssMb(gateway.pid), pssMb(gateway.workerPid()), pssMb(plain.pid)];
    await Promise.all([plain.stop(), gateway.stop()]);
    const row = limitRow({
      what: 'Memory when idle, PSS of both processes',
      value: supervisor + worker,
      unit: 'MB',
      atMost: 110,
      baseline: `${baseline.toFixed(1)} MB (bare Koa hello)`,
    });
    return [{ ...row, ours: `${supervisor.toFixed(1)} + ${worker.toFixed(1)} MB` }];
  },
};
