import {
  cronJobAnswer,
  cronJobsAnswer,
  cronPreviewAnswer,
  cronRemovedAnswer,
  cronRunsAnswer,
  cronToggledAnswer,
  cronTriggeredAnswer,
} from '../../lib/answers-cron.ts';
import { idPath } from '../../lib/api.ts';
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
      tag: 'Cron',
      summary: 'Makes a job',
      body: cronCreateRequest,
      example: { schedule: '0 9 * * 1-5', message: 'What is on today?', timezone: 'Europe/Berlin' },
      answers: { 201: cronJobAnswer },
      errors: ['CONFLICT', 'CHANNEL_NOT_FOUND'],
      async handle({ ctx, body }) {
        ctx.status = 201;
        return { status: 'ok' as const, job: describeJob(await jobs.create(body), undefined) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/cron/trigger',
      scope: 'operator.write',
      tag: 'Cron',
      summary: 'Runs a job now, also one that is off',
      body: cronTriggerRequest,
      example: { job_id: 'a-job' },
      answers: { 200: cronTriggeredAnswer },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ body }) {
        const run = await jobs.trigger(body.job_id);
        return { status: 'ok' as const, message: 'Task triggered', run: run.id };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/cron/preview',
      scope: 'operator.read',
      tag: 'Cron',
      summary: 'Tells when a schedule is due next, without making a job',
      body: cronPreviewRequest,
      example: { schedule: '0 9 * * 1-5', timezone: 'Europe/Berlin', count: 3 },
      answers: { 200: cronPreviewAnswer },
      async handle({ body }) {
        const { timezone, slots } = await jobs.preview(body);
        return { status: 'ok' as const, timezone, runs: slots.map((slot) => new Date(slot).toISOString()) };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/cron/:id',
      scope: 'operator.write',
      tag: 'Cron',
      summary: 'Changes a job; null takes a setting away',
      params: idPath,
      body: cronPatchRequest,
      example: { enabled: false },
      answers: { 200: cronJobAnswer },
      errors: ['NOT_FOUND', 'CONFLICT', 'CHANNEL_NOT_FOUND'],
      async handle({ params: { id }, body }) {
        const job = await jobs.change(id, body);
        return { status: 'ok' as const, job: describeJob(job, await newestOf(store, id)) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/cron/:id/toggle',
      scope: 'operator.write',
      tag: 'Cron',
      summary: 'Switches a job on or off, or by turns',
      params: idPath,
      body: cronToggleRequest,
      example: { enabled: true },
      answers: { 200: cronToggledAnswer },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params: { id }, body }) {
        const { enabled } = await jobs.toggle(id, body.enabled);
        return { status: 'ok' as const, enabled };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/cron/:id',
      scope: 'operator.write',
      tag: 'Cron',
      summary: 'Removes a job and what is known of its runs',
      params: idPath,
      answers: { 200: cronRemovedAnswer },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ params: { id } }) {
        await jobs.remove(id);
        return { status: 'ok' as const, removed: true as const };
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
      tag: 'Cron',
      summary: 'Lists the jobs and the heartbeat',
      query: cronListQuery,
      answers: { 200: cronJobsAnswer },
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
      tag: 'Cron',
      summary: 'Shows a job',
      params: idPath,
      answers: { 200: cronJobAnswer },
      errors: ['NOT_FOUND'],
      async handle({ params: { id } }) {
        return { status: 'ok' as const, job: describeJob(await jobs.require(id), await newestOf(store, id)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/cron/:id/runs',
      scope: 'operator.read',
      tag: 'Cron',
      summary: 'Tells what became of each slot of a job',
      params: idPath,
      query: cronRunsQuery,
      answers: { 200: cronRunsAnswer },
      errors: ['NOT_FOUND'],
      async handle({ params: { id }, query }) {
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
