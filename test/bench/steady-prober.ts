import { Agent } from 'node:http';
import { ask } from './sample.ts';

/** Asks every 5 ms on kept connections, without waiting for earlier answers; `stop` returns the latencies in milliseconds. */
export function startSteadyProber(url: string): { stop(): Promise<number[]> } {
  const agent = new Agent({ keepAlive: true });
  const probes: Promise<number>[] = [];
  let dueAt = performance.now();
  const timer = setInterval(() => {
    // A late timer must not thin the probes out just when the machine is busy.
    for (; dueAt <= performance.now(); dueAt += EVERY_MS) probes.push(probe(url, agent));
  }, EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      const latencies = await Promise.all(probes);
      agent.destroy();
      return latencies;
    },
  };
}

const EVERY_MS = 5;

async function probe(url: string, agent: Agent): Promise<number> {
  const { outcome, reason, startedAt, endedAt } = await ask({ url, agent });
  if (outcome !== 'ok') throw new Error(`${url} did not answer: ${reason}`);
  return endedAt - startedAt;
}
