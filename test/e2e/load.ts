import { Agent, get } from 'node:http';

export type Load = {
  /** Ends the clients and returns what they saw. */
  stop(): Promise<{ total: number; failures: string[]; generations: number[] }>;
};

/** Runs clients against the health of a gateway until stopped: half of them keep their connection, the others open one each time. */
export function startLoad(port: number, clients: number): Load {
  const failures: string[] = [];
  const generations = new Set<number>();
  let total = 0;
  let isStopped = false;

  async function run(agent: Agent | false): Promise<void> {
    while (!isStopped) {
      total += 1;
      await readGeneration(port, agent).then(
        (generation) => generations.add(generation),
        (error: unknown) => failures.push(String(error)),
      );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    if (agent !== false) agent.destroy();
  }

  const running = Array.from({ length: clients }, (_none, index) =>
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

function readGeneration(port: number, agent: Agent | false): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = get({ host: '127.0.0.1', port, path: '/health', agent, timeout: 10_000 }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text).generation);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    call.on('error', reject);
    call.on('timeout', () => call.destroy(new Error('timed out')));
  });
}
