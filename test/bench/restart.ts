import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from './http.ts';
import { type Bench, limitRow } from './result.ts';
import { type Gateway, startGateway } from './target.ts';

const RESTARTS = 20;
const CLIENTS = 50;
const THINK_MS = 50;

/** SIGUSR1 twenty times under fifty clients, half of them with a new connection for each request. */
export const restartBench: Bench = {
  name: 'restart',
  async run() {
    const gateway = await startGateway();
    const load = { isOver: false, total: 0, failed: 0, longestGapMs: 0 };
    const clients = Array.from({ length: CLIENTS }, (_, index) => keepAsking(gateway, load, index % 2 === 0));
    const durations: number[] = [];
    for (let count = 0; count < RESTARTS; count += 1) {
      const startedAt = performance.now();
      await restart(gateway);
      durations.push(performance.now() - startedAt);
    }
    load.isOver = true;
    await Promise.all(clients);
    await gateway.stop();
    const row = limitRow({
      what: `Failed requests in ${RESTARTS} restarts (SIGUSR1), ${CLIENTS} clients`,
      value: load.failed,
      unit: 'failed',
      atMost: 0,
      digits: 0,
      baseline: `of ${load.total}`,
    });
    return [{ ...row, ours: `${load.failed} of ${load.total}, longest wait ${load.longestGapMs.toFixed(0)} ms` }];
  },
};

type Load = { isOver: boolean; total: number; failed: number; longestGapMs: number };

async function keepAsking({ url }: Gateway, load: Load, isFresh: boolean): Promise<void> {
  const client = createClient({ isFresh });
  while (!load.isOver) {
    const reply = await client.call({ url: `${url}/health` }).catch(() => undefined);
    load.total += 1;
    if (reply?.status !== 200) load.failed += 1;
    else load.longestGapMs = Math.max(load.longestGapMs, reply.ms);
    await sleep(THINK_MS);
  }
  client.close();
}

/** Waits until a new worker answers and the old one is gone. */
async function restart(gateway: Gateway): Promise<void> {
  const client = createClient({ isFresh: true });
  const before = await generation(client, gateway);
  process.kill(gateway.pid, 'SIGUSR1');
  while ((await generation(client, gateway)) === before) await sleep(20);
  // The old one lets its clients finish first; two restarts asked for at once would become one.
  await sleep(1_500);
}

async function generation(client: ReturnType<typeof createClient>, { url }: Gateway): Promise<number> {
  const { text } = await client.call({ url: `${url}/health` });
  return (JSON.parse(text) as { generation: number }).generation;
}
