import { describe, expect, it, vi } from 'vitest';
import type { ConfigInput } from '../../../lib/config/schema.ts';
import { type Answer, type Served, serveApp } from '../served-app.ts';

const DAILY = { schedule: '0 9 * * 1-5', message: 'Tell me the news.' };

type Job = Record<string, unknown> & { id: string };

/** Makes a job; each test has a database of its own. */
async function create(app: Served, body: Record<string, unknown> = DAILY): Promise<Job> {
  const { status, body: answer } = await app.call('POST', '/api/cron/create', body);
  expect([status, answer['status']]).toEqual([201, 'ok']);
  return answer['job'] as Job;
}

async function listJobs(app: Served): Promise<Job[]> {
  return (await app.call('GET', '/api/cron')).body['jobs'] as Job[];
}

function messageOf({ body }: Answer): string {
  return String((body['error'] as { message: string }).message);
}

/** Looks after the jobs for as long as the test lasts. */
async function startScheduler(app: Served): Promise<void> {
  const epoch = await app.store.leases.take('w1');
  await app.outbound.stop(0);
  await app.outbound.start(epoch);
  await app.scheduler.start(epoch);
}

describe('making a job', () => {
  it('takes a cron expression and a message, and answers with its next run', async () => {
    const app = await serveApp();
    const job = await create(app);
    expect(job).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{8}$/),
      schedule: { kind: 'cron', expr: '0 9 * * 1-5' },
      timezone: 'UTC',
      enabled: true,
      payload: { kind: 'agentTurn', message: 'Tell me the news.' },
      session: 'main',
      overlap: 'skip',
      misfire: 'once',
      next_run: expect.stringMatching(/T09:00:00\.000Z$/),
    });
    expect(await listJobs(app)).toEqual([job]);
  });

  it('takes everything that a job can have', async () => {
    const app = await serveApp();
    const job = await create(app, {
      name: 'News',
      schedule: { kind: 'cron', expr: '*/5 * * * *', tz: 'Asia/Shanghai' },
      payload: { kind: 'agentTurn', message: 'News?', model: 'scripted/other', timeoutSeconds: 60 },
      session: 'isolated',
      agent_id: 'main',
      delivery: { channel: 'test', chat_id: '7', thread_id: '3', peer_kind: 'group' },
      overlap: 'queue',
      misfire: 'all',
      jitter_ms: 1_000,
      max_retries: 5,
      enabled: false,
    });
    expect(job).toMatchObject({
      name: 'News',
      timezone: 'Asia/Shanghai',
      payload: { model: 'scripted/other', timeoutSeconds: 60 },
      session: 'isolated',
      agent_id: 'main',
      delivery: { channel: 'test', account_id: 'default', chat_id: '7', thread_id: '3', peer_kind: 'group' },
      overlap: 'queue',
      misfire: 'all',
      jitter_ms: 1_000,
      max_retries: 5,
      enabled: false,
    });
    expect(job['next_run']).toBeUndefined();
  });

  it('takes an interval and a date, too', async () => {
    const app = await serveApp();
    const every = await create(app, { schedule: { kind: 'every', everyMs: 60_000 }, message: 'x' });
    expect(Date.parse(String(every['next_run'])) - Date.now()).toBeLessThanOrEqual(60_000);
    const at = await create(app, {
      schedule: { kind: 'at', at: '2100-07-01T09:00' },
      timezone: 'Europe/Berlin',
      message: 'x',
    });
    expect(at['next_run']).toBe('2100-07-01T07:00:00.000Z');
  });

  it('takes the zone of the configuration when nothing names one', async () => {
    const config: ConfigInput = { cron: { defaultTimezone: 'Asia/Tokyo' } };
    const job = await create(await serveApp({ config }));
    expect(job).toMatchObject({ timezone: 'Asia/Tokyo', next_run: expect.stringMatching(/T00:00:00\.000Z$/) });
  });

  it.each([
    ['no schedule', { message: 'x' }, 'schedule'],
    ['nothing to do', { schedule: '* * * * *' }, 'message or payload'],
    ['two things to do', { ...DAILY, payload: { kind: 'systemEvent', text: 'x' } }, 'message or payload'],
    ['no cron expression', { ...DAILY, schedule: 'tomorrow' }, 'schedule: '],
    ['a minute that does not exist', { ...DAILY, schedule: '60 * * * *' }, '60'],
    ['a date that does not exist', { ...DAILY, schedule: '0 0 31 2 *' }, 'will never come'],
    ['a time that is over', { ...DAILY, schedule: { kind: 'at', at: '2020-01-01T00:00Z' } }, 'will never come'],
    ['no date', { ...DAILY, schedule: { kind: 'at', at: 'tomorrow' } }, 'schedule'],
    ['an interval that is too short', { ...DAILY, schedule: { kind: 'every', everyMs: 10 } }, 'everyMs'],
    ['an unknown kind', { ...DAILY, schedule: { kind: 'moon' } }, 'schedule must be'],
    ['no zone', { ...DAILY, timezone: 'Mars/Base' }, 'Mars/Base'],
    [
      'two zones',
      { schedule: { kind: 'cron', expr: '* * * * *', tz: 'UTC' }, timezone: 'Asia/Tokyo', message: 'x' },
      'keep one',
    ],
    ['no agent', { ...DAILY, agent_id: 'nobody' }, 'nobody'],
    ['an odd session', { ...DAILY, session: 'other' }, 'main or isolated'],
    ['too many retries', { ...DAILY, max_retries: 11 }, 'max_retries'],
    ['a list', [], 'object'],
  ])('refuses %s with 400 and says why', async (_what, body, words) => {
    const app = await serveApp();
    const answer = await app.call('POST', '/api/cron/create', body);
    expect(answer.status).toBe(400);
    expect(messageOf(answer)).toContain(words);
    expect(await listJobs(app)).toEqual([]);
  });

  it('refuses a channel that is not there', async () => {
    const app = await serveApp();
    const answer = await app.call('POST', '/api/cron/create', { ...DAILY, delivery: { channel: 'fax', chat_id: '1' } });
    expect([answer.status, messageOf(answer)]).toEqual([404, expect.stringContaining('"fax"')]);
  });
});

describe('a job', () => {
  it('is triggered by hand, also when it is off, and the answer does not wait for it', async () => {
    const app = await serveApp();
    await startScheduler(app);
    const job = await create(app, { ...DAILY, delivery: { channel: 'test', chat_id: '7' }, enabled: false });
    const { status, body } = await app.call('POST', '/api/cron/trigger', { job_id: job.id });
    expect([status, body]).toEqual([200, { status: 'ok', message: 'Task triggered', run: expect.any(Number) }]);
    await vi.waitFor(() => expect(app.channel.textsOf('7')).toEqual(['echo: Tell me the news.']));
    await vi.waitFor(async () => {
      const { body: history } = await app.call('GET', `/api/cron/${job.id}/runs`);
      expect(history['runs']).toMatchObject([
        { state: 'ok', trigger: 'manual', delivery: 'sent', summary: 'echo: Tell me the news.' },
      ]);
    }, 5_000);
    expect(await listJobs(app)).toMatchObject([{ enabled: false, last_state: 'ok', last_run: expect.any(String) }]);
    await app.scheduler.stop();
  });

  it('that is triggered several times before it begins runs once', async () => {
    const app = await serveApp();
    const job = await create(app);
    const first = await app.call('POST', '/api/cron/trigger', { job_id: job.id });
    const second = await app.call('POST', '/api/cron/trigger', { job_id: job.id });
    expect(second.body).toEqual(first.body);
  });

  it('is not triggered while no job runs', async () => {
    const app = await serveApp({ config: { cron: { enabled: false } } });
    const job = await create(app);
    const answer = await app.call('POST', '/api/cron/trigger', { job_id: job.id });
    expect([answer.status, messageOf(answer)]).toEqual([409, expect.stringContaining('cron.enabled')]);
  });

  it('is switched off and on, by wish or by turns', async () => {
    const app = await serveApp();
    const job = await create(app);
    const toggle = async (body?: unknown): Promise<unknown> =>
      (await app.call('POST', `/api/cron/${job.id}/toggle`, body)).body;
    expect(await toggle()).toEqual({ status: 'ok', enabled: false });
    expect((await listJobs(app))[0]?.['next_run']).toBeUndefined();
    expect(await toggle({ enabled: false })).toEqual({ status: 'ok', enabled: false });
    expect(await toggle({})).toEqual({ status: 'ok', enabled: true });
    expect((await listJobs(app))[0]?.['next_run']).toBe(job['next_run']);
    expect((await app.call('POST', `/api/cron/${job.id}/toggle`, { enabled: 'yes' })).status).toBe(400);
  });

  it('is changed in what a request names and nothing else', async () => {
    const app = await serveApp();
    const job = await create(app, { ...DAILY, name: 'News', delivery: { channel: 'test', chat_id: '7' } });
    const patch = { timezone: 'Asia/Tokyo', delivery: null, name: null, message: 'Other news?' };
    const { status, body } = await app.call('PATCH', `/api/cron/${job.id}`, patch);
    const { name: _name, delivery: _delivery, ...rest } = job;
    const changed = {
      ...rest,
      timezone: 'Asia/Tokyo',
      payload: { kind: 'agentTurn', message: 'Other news?' },
      next_run: expect.stringMatching(/T00:00:00\.000Z$/),
      updated_at: expect.any(String),
    };
    expect([status, body]).toEqual([200, { status: 'ok', job: changed }]);
    expect(await listJobs(app)).toEqual([changed]);
  });

  it.each([
    {},
    { unknown: 1 },
    { schedule: 'soon' },
    { enabled: null },
    { message: 'x', payload: { kind: 'systemEvent', text: 'x' } },
  ])('is not changed by %j', async (patch) => {
    const app = await serveApp();
    const job = await create(app);
    expect((await app.call('PATCH', `/api/cron/${job.id}`, patch)).status).toBe(400);
    expect(await listJobs(app)).toEqual([job]);
  });

  it('is removed with its history', async () => {
    const app = await serveApp();
    const job = await create(app);
    await app.call('POST', '/api/cron/trigger', { job_id: job.id });
    expect((await app.call('DELETE', `/api/cron/${job.id}`)).body).toEqual({ status: 'ok', removed: true });
    expect(await listJobs(app)).toEqual([]);
    expect((await app.call('GET', `/api/cron/${job.id}/runs`)).status).toBe(404);
  });

  it('that does not exist is answered 404 everywhere', async () => {
    const app = await serveApp();
    const calls = [
      app.call('GET', '/api/cron/none'),
      app.call('GET', '/api/cron/none/runs'),
      app.call('PATCH', '/api/cron/none', { name: 'x' }),
      app.call('POST', '/api/cron/none/toggle'),
      app.call('POST', '/api/cron/trigger', { job_id: 'none' }),
      app.call('DELETE', '/api/cron/none'),
    ];
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404]);
    expect((await app.call('POST', '/api/cron/trigger', {})).status).toBe(400);
  });

  it('has a history that is read page by page', async () => {
    const app = await serveApp();
    const job = await create(app);
    for (let slot = 1; slot <= 5; slot += 1) {
      const stored = await app.store.cronJobs.get(job.id);
      if (stored === undefined) throw new Error('The job is missing');
      const next = { slotAt: slot * 1_000 + 1_000, dueAt: slot * 1_000 };
      await app.store.cronJobs.reschedule(stored, { slotAt: slot * 1_000, dueAt: slot * 1_000 });
      const moved = { ...stored, next: { slotAt: slot * 1_000, dueAt: slot * 1_000 } };
      const missed = { from: slot * 1_000, to: slot * 1_000, reason: 'a test' };
      const epoch = await app.store.leases.take('w1');
      await app.store.cronRuns.claim({ epoch, job: moved, plan: { due: [], missed, next }, now: slot });
    }
    const first = await app.call('GET', `/api/cron/${job.id}/runs?limit=3`);
    const second = await app.call('GET', `/api/cron/${job.id}/runs?limit=3&before=${first.body['next']}`);
    const slots = [first, second].map(({ body }) =>
      (body['runs'] as { slot: string }[]).map(({ slot }) => slot.slice(17, 19)),
    );
    expect(slots).toEqual([
      ['05', '04', '03'],
      ['02', '01'],
    ]);
    expect(second.body['next']).toBeUndefined();
  });
});

describe('a look ahead', () => {
  it('tells the next runs of a schedule that nobody has saved', async () => {
    const app = await serveApp();
    const body = { schedule: '0 9 1 1 *', timezone: 'Asia/Shanghai', count: 2 };
    const { status, body: answer } = await app.call('POST', '/api/cron/preview', body);
    expect([status, answer]).toEqual([
      200,
      {
        status: 'ok',
        timezone: 'Asia/Shanghai',
        runs: [expect.stringMatching(/-01-01T01:00/), expect.stringMatching(/-01-01T01:00/)],
      },
    ]);
    expect((await app.call('POST', '/api/cron/preview', { schedule: 'x' })).status).toBe(400);
    expect((await app.call('POST', '/api/cron/preview', { schedule: '* * * * *', count: 51 })).status).toBe(400);
  });
});

describe('the heartbeat', () => {
  it('is listed beside the jobs and set in the configuration only', async () => {
    const app = await serveApp();
    await startScheduler(app);
    await vi.waitFor(async () => expect(await app.store.cronJobs.get('heartbeat')).toBeDefined());
    const { body } = await app.call('GET', '/api/cron');
    expect(body).toMatchObject({ jobs: [], total: 0, heartbeat: { id: 'heartbeat', next_run: expect.any(String) } });
    expect((await app.call('DELETE', '/api/cron/heartbeat')).status).toBe(409);
    expect((await app.call('POST', '/api/cron/heartbeat/toggle')).status).toBe(409);
    expect((await app.call('PATCH', '/api/cron/heartbeat', { name: 'x' })).status).toBe(409);
    await app.scheduler.stop();
  });
});

describe('who may call', () => {
  it('is told by the scope: reading for looking, writing for the rest', async () => {
    const { routes } = await serveApp();
    const scopes = routes
      .filter(({ path }) => path.startsWith('/api/cron'))
      .map(({ method, path, scope }) => `${method} ${path} ${scope}`)
      .sort();
    expect(scopes).toEqual([
      'DELETE /api/cron/:id operator.write',
      'GET /api/cron operator.read',
      'GET /api/cron/:id operator.read',
      'GET /api/cron/:id/runs operator.read',
      'PATCH /api/cron/:id operator.write',
      'POST /api/cron/:id/toggle operator.write',
      'POST /api/cron/create operator.write',
      'POST /api/cron/preview operator.read',
      'POST /api/cron/trigger operator.write',
    ]);
  });
});
