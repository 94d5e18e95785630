import {
  cronCreateRequest,
  cronListQuery,
  cronPatchRequest,
  cronPreviewRequest,
  cronRunsQuery,
  cronToggleRequest,
  cronTriggerRequest,
} from '../../lib/api-cron.ts';
import { describeJob, describeRun } from '../cron/describe.ts';
import { HEARTBEAT_ID } from '../cron/heartbeat.ts';
import type { Jobs } from '../cron/jobs.ts';
import type { Store } from '../store/index.ts';
import { defineRoute, type Route } from './route.ts';

export type CronOptions = { store: Store; jobs: Jobs };

/** Jobs by the clock (manual "API list"; SPEC 5). */
export function cronRoutes({ store, jobs }: CronOptions): Route[] {
  return [
    ...listRoutes({ store, jobs }),
    defineRoute({
      method: 'POST',
      path: '/api/cron/create',
      scope: 'operator.write',
      body: cronCreateRequest,
      async handle({ ctx, body }) {
        ctx.status = 201;
        return { status: 'ok', job: describeJob(await jobs.create(body), undefined) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/cron/trigger',
      scope: 'operator.write',
      body: cronTriggerRequest,
      async handle({ body }) {
        const run = await jobs.trigger(body.job_id);
        return { status: 'ok', message: 'Task triggered', run: run.id };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/cron/preview',
      scope: 'operator.read',
      body: cronPreviewRequest,
      async handle({ body }) {
        const { timezone, slots } = await jobs.preview(body);
        return { status: 'ok', timezone, runs: slots.map((slot) => new Date(slot).toISOString()) };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/cron/:id',
      scope: 'operator.write',
      body: cronPatchRequest,
      async handle({ params: { id = '' }, body }) {
        const job = await jobs.change(id, body);
        return { status: 'ok', job: describeJob(job, await newestOf(store, id)) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/cron/:id/toggle',
      scope: 'operator.write',
      body: cronToggleRequest,
      async handle({ params: { id = '' }, body }) {
        const { enabled } = await jobs.toggle(id, body.enabled);
        return { status: 'ok', enabled };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/cron/:id',
      scope: 'operator.write',
      async handle({ params: { id = '' } }) {
        await jobs.remove(id);
        return { status: 'ok', removed: true };
      },
    }),
  ];
}

/** What only looks. */
function listRoutes({ store, jobs }: CronOptions): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/cron',
      scope: 'operator.read',
      query: cronListQuery,
      async handle({ query: { limit, offset } }) {
        const all = await store.cronJobs.list();
        const own = all.filter(({ id }) => id !== HEARTBEAT_ID);
        const heartbeat = all.find(({ id }) => id === HEARTBEAT_ID);
        const page = own.slice(offset, offset + limit);
        const newest = await store.cronRuns.newest([...page.map(({ id }) => id), HEARTBEAT_ID]);
        return {
          jobs: page.map((job) => describeJob(job, newest.get(job.id))),
          total: own.length,
          ...(heartbeat === undefined ? {} : { heartbeat: describeJob(heartbeat, newest.get(HEARTBEAT_ID)) }),
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/cron/:id',
      scope: 'operator.read',
      async handle({ params: { id = '' } }) {
        return { status: 'ok', job: describeJob(await jobs.require(id), await newestOf(store, id)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/cron/:id/runs',
      scope: 'operator.read',
      query: cronRunsQuery,
      async handle({ params: { id = '' }, query }) {
        await jobs.require(id);
        const runs = await store.cronRuns.ofJob(id, query);
        const next = runs.length === query.limit ? runs.at(-1)?.id : undefined;
        return { runs: runs.map(describeRun), ...(next === undefined ? {} : { next }) };
      },
    }),
  ];
}

async function newestOf(store: Store, id: string): Promise<Parameters<typeof describeJob>[1]> {
  return (await store.cronRuns.newest([id])).get(id);
}
