import { eventually } from './eventually.ts';
import type { Gateway } from './gateway.ts';

/** A run as the history of a job tells it. */
export type ToldRun = {
  state: string;
  slot?: string;
  slot_end?: string;
  attempt: number;
  delivery?: string;
  outcome?: string;
  reason?: string;
};

/** Makes a job; returns its id. */
export async function createJob(gateway: Gateway, job: Record<string, unknown>): Promise<string> {
  const { status, body } = await gateway.request('/api/cron/create', { method: 'POST', body: job });
  if (status !== 201) throw new Error(`The job was not made: ${JSON.stringify(body)}`);
  return (body['job'] as { id: string }).id;
}

/** The history of a job, newest first; fails while the gateway does not answer. */
export async function readRuns(gateway: Gateway, id: string): Promise<ToldRun[]> {
  const { body } = await gateway.request(`/api/cron/${id}/runs?limit=500`);
  return (body['runs'] ?? []) as ToldRun[];
}

/** Waits until a job has so many runs and none of them is under way. Returns them, newest first. */
export function untilRuns(gateway: Gateway, id: string, count: number, timeoutMs = 20_000): Promise<ToldRun[]> {
  return eventually(
    `${count} runs of a job`,
    async () => {
      const runs = await readRuns(gateway, id).catch(() => []);
      return runs.length >= count && runs.every(isOver) ? runs : undefined;
    },
    timeoutMs,
  );
}

function isOver({ state }: ToldRun): boolean {
  return state === 'ok' || state === 'error' || state === 'skipped';
}
