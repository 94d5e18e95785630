import { Agent, get } from 'node:http';

export type Load = {
  /** Ends the clients and returns what they saw. */
  stop(): Promise<{ total: number; failures: string[]; generations: number[] }>;
};

/** Runs clients against a path that tells the worker's generation, until stopped: half of them keep their connection, the others open a new one each time. */
export function startLoad(port: number, clients: number, path = '/'): Load {
  const failures: string[] = [];
  const generations = new Set<number>();
  let total = 0;
  let isStopped = false;

  async function run(agent: Agent | false): Promise<void> {
    while (!isStopped) {
      try {
        total += 1;
        generations.add((await fetchWorker(port, agent, path)).generation);
      } catch (error) {
        failures.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (agent !== false) agent.destroy();
  }

  const running = Array.from({ length: clients }, (_value, index) =>
    run(index % 2 === 0 ? false : new Agent({ keepAlive: true, maxSockets: 1 })),
  );
  return {
    async stop() {
      isStopped = true;
      await Promise.all(running);
      return { total, failures, generations: [...generations].sort((left, right) => left - right) };
    },
  };
}

/** Asks the worker behind a port who it is. */
export async function fetchWorker(
  port: number,
  agent: Agent | false = false,
  path = '/',
): Promise<{ generation: number; pid: number }> {
  return JSON.parse(await fetchText(port, path, agent));
}

/** Waits until new connections reach a worker of this generation; right after a restart the old one may still take one. */
export async function untilServedBy(port: number, generation: number): Promise<void> {
  const deadline = Date.now() + 3_000;
  for (;;) {
    const worker = await fetchWorker(port);
    if (worker.generation === generation) return;
    if (Date.now() > deadline) throw new Error(`Worker ${worker.generation} still serves instead of ${generation}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The body of a GET request; rejects when the connection or the answer fails. */
export function fetchText(port: number, path: string, agent: Agent | false = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent, timeout: 10_000 }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`status ${response.statusCode}`));
      });
      response.on('error', reject);
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('timed out')));
  });
}
