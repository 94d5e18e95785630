import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProber } from './prober.ts';
import { ask, type Sample } from './sample.ts';

export const CLIENTS = 50;
const THINK_MS = 50;

export type Load = {
  /** Every request of the fifty clients that has ended so far. */
  requests: readonly Sample[];
  /** The prober's, on new connections at a fixed rate. */
  probes: readonly Sample[];
  /** Ends clients and prober, and resolves when the last answer is in. */
  stop(): Promise<void>;
};

/** Fifty clients that think for 50 ms between two requests, half of them on a kept connection, and a prober beside them. */
export function startLoad(url: string): Load {
  const requests: Sample[] = [];
  const prober = startProber(url);
  let isOver = false;

  const run = async (agent: Agent | false): Promise<void> => {
    while (!isOver) {
      requests.push(await ask({ url, agent }));
      await sleep(THINK_MS);
    }
    if (agent !== false) agent.destroy();
  };
  const clients = Array.from({ length: CLIENTS }, (_value, index) =>
    run(index % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : false),
  );

  return {
    requests,
    probes: prober.probes,
    async stop() {
      isOver = true;
      await Promise.all([...clients, prober.stop()]);
    },
  };
}
