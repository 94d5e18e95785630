import { ask, type Sample } from './sample.ts';

export type Prober = {
  /** Every probe that has ended so far. */
  probes: readonly Sample[];
  /** Sends no more, and resolves when the last one has ended. */
  stop(): Promise<void>;
};

/** Asks at a fixed rate (100 requests per second unless told), each time on a new connection and without waiting for earlier answers. */
export function startProber(url: string, options: { everyMs?: number; timeoutMs?: number } = {}): Prober {
  const { everyMs = 10, timeoutMs = 10_000 } = options;
  const probes: Sample[] = [];
  const underWay = new Set<Promise<void>>();
  let dueAt = performance.now();

  const send = (): void => {
    const probe = ask({ url, agent: false, timeoutMs }).then((sample) => {
      probes.push(sample);
      underWay.delete(probe);
    });
    underWay.add(probe);
  };
  const timer = setInterval(() => {
    // A late timer must not thin the probes out just when the machine is busy.
    for (; dueAt <= performance.now(); dueAt += everyMs) send();
  }, everyMs);

  return {
    probes,
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
  };
}
