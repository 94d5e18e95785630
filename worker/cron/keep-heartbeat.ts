import type { Config } from '../../lib/config/schema.ts';
import type { Store } from '../store/index.ts';
import type { Calculator } from './calculator.ts';
import { describeHeartbeat, HEARTBEAT_ID } from './heartbeat.ts';
import { findNextSlot } from './plan-slots.ts';

/** Makes the built-in job what the configuration says. */
export async function keepHeartbeat(
  { config, store }: { config: Config; store: Store },
  { calculator, now }: { calculator: Calculator; now(): number },
): Promise<void> {
  const job = await store.cronJobs.get(HEARTBEAT_ID);
  if (!config.gateway.heartbeat.enabled) {
    if (job !== undefined) await store.cronJobs.remove(HEARTBEAT_ID);
    return;
  }
  const definition = describeHeartbeat(config);
  const next = findNextSlot(definition, now(), calculator);
  if (job === undefined) {
    await store.cronJobs.insert({ id: HEARTBEAT_ID, definition, enabled: true, next });
    return;
  }
  const isSame = JSON.stringify(definition) === JSON.stringify({ ...definition, ...pick(job, definition) });
  if (!isSame) await store.cronJobs.update(HEARTBEAT_ID, job.revision, { definition, enabled: true, next });
}

/** What a job has for each of the fields of another definition. */
function pick(job: object, definition: object): Record<string, unknown> {
  const names = Object.keys(definition);
  return Object.fromEntries(Object.entries(job).filter(([name]) => names.includes(name)));
}
