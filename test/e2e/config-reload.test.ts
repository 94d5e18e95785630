import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startLoad } from '../supervisor/http-load.ts';
import { eventually } from './eventually.ts';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import type { sendRequest } from './http.ts';

afterEach(() => stopAll());

const OLD = 'old-token-0123456789abcdef0123456789';
const NEW = 'new-token-0123456789abcdef0123456789';

const edit = ({ home }: Gateway, from: string | RegExp, to: string): void =>
  home.configure(readFileSync(home.configPath, 'utf8').replace(from, to));

const authorized = async (gateway: Gateway, token: string): Promise<boolean> => {
  const { status } = await gateway.request('/api/sessions', { token });
  return status === 200;
};

describe('a change of the configuration while the gateway runs', () => {
  it('of the token is taken at once without a new worker, and the old one still counts for a while', async () => {
    const gateway = await startGateway({ config: { gateway: { auth: { token: OLD } } } });
    const worker = gateway.workerPid();
    const stream = await gateway.events('/api/events', { token: OLD });
    edit(gateway, OLD, NEW);
    await eventually('the new token', () => authorized(gateway, NEW));
    expect(await authorized(gateway, OLD)).toBe(true);
    expect(await authorized(gateway, 'wrong-token-0123456789abcdef')).toBe(false);
    expect((await stream.find('config.reload')).data).toEqual({
      ok: true,
      section: 'gateway',
      paths: ['gateway.auth.token'],
    });
    expect(gateway.workerPid()).toBe(worker);
    stream.close();

    edit(gateway, `"token": "${NEW}"`, `"token": "${OLD}x", "rotationGrace": 0`);
    await eventually('the third token', () => authorized(gateway, `${OLD}x`));
    expect(await authorized(gateway, NEW)).toBe(false);
    expect(gateway.workerPid()).toBe(worker);
    expect(gateway.home.readLog()).not.toContain(NEW);
  });

  it('of the agents counts from the next turn on', async () => {
    const gateway = await startGateway({ config: { gateway: { auth: { token: OLD } } } });
    const worker = gateway.workerPid();
    const ask = (agent_id: string): ReturnType<Gateway['request']> =>
      gateway.request('/api/agent', { token: OLD, method: 'POST', body: { message: 'hello', agent_id } });
    expect((await ask('clerk')).status).toBe(400);
    edit(gateway, '{', '{ "agents": { "list": [{ "id": "clerk" }] }, ');
    await eventually('the new agent', async () => (await ask('clerk')).status === 200);
    expect(gateway.workerPid()).toBe(worker);
  });

  it('that a worker must be replaced for fails no request under load', async () => {
    const gateway = await startGateway({ config: { gateway: { auth: { token: OLD } } } });
    const load = startLoad(gateway.port, 20, '/health');
    let worker = gateway.workerPid();
    for (const turns of [7, 8]) {
      edit(gateway, /\{/, `{ "agents": { "maxConcurrentTurns": ${turns} }, `);
      if (turns === 8) edit(gateway, /"agents": \{ "maxConcurrentTurns": 7 \}, /, '');
      worker = await gateway.nextWorker(worker);
    }
    const { failures, total } = await load.stop();
    expect(failures).toEqual([]);
    expect(total).toBeGreaterThan(20);
    expect(gateway.home.readLog()).toContain('agents.maxConcurrentTurns');
  });

  it('with a fault changes nothing, and the log, an event and the status say so', async () => {
    const gateway = await startGateway({ config: { gateway: { auth: { token: OLD } } } });
    const worker = gateway.workerPid();
    const stream = await gateway.events('/api/events', { token: OLD });
    edit(gateway, `"${OLD}"`, `"${NEW}", "mode": "nonsense"`);
    const { data } = await stream.find('config.reload');
    expect(data).toMatchObject({ ok: false, problems: [{ path: 'gateway.auth.mode' }] });
    expect(await authorized(gateway, OLD)).toBe(true);
    expect(await authorized(gateway, NEW)).toBe(false);
    const { body } = await gateway.request('/health', { token: OLD });
    expect(body['config']).toMatchObject({ problems: [{ path: 'gateway.auth.mode' }] });
    expect(gateway.home.readLog()).toContain('is not used: it has faults');
    edit(gateway, ', "mode": "nonsense"', '');
    await eventually('the new token', () => authorized(gateway, NEW));
    expect(gateway.workerPid()).toBe(worker);
    stream.close();
  });

  it('with a provider that nobody knows is refused as well, before a worker fails on it', async () => {
    const gateway = await startGateway({ config: { gateway: { auth: { token: OLD } } } });
    edit(gateway, '{', '{ "providers": { "nobody": "key-of-nobody" }, ');
    await eventually('the refusal', () => gateway.home.readLog().includes('no such provider is built in'));
    const status = await runXopc(gateway.home, ['gateway', 'status']);
    expect(status.stdout).toContain('no such provider is built in');
    expect(await authorized(gateway, OLD)).toBe(true);
  });
});

describe('a file that is broken while the gateway runs', () => {
  it('does not end it when its worker crashes: the next one goes on with what served last, and says so', async () => {
    const gateway = await startGateway({ config: { gateway: { auth: { token: OLD } } } });
    const good = join(gateway.home.stateDir, 'backups', 'xopc.json.last-good');
    await eventually('the copy of what serves', () => existsSync(good));
    const worker = gateway.workerPid();
    const text = readFileSync(gateway.home.configPath, 'utf8');
    gateway.home.configure('{ "gateway": ');
    await gateway.kill('worker');
    await gateway.nextWorker(worker);
    await eventually('an answer', () => authorized(gateway, OLD));
    const { body } = await gateway.request('/health', { token: OLD });
    expect(JSON.stringify(body['config'])).toContain('not valid JSON');
    expect(gateway.home.readLog()).toContain('going on with the last one that served');
    expect(readFileSync(gateway.home.configPath, 'utf8')).toBe('{ "gateway": ');
    gateway.home.configure(text.replace(OLD, NEW));
    await eventually('the mended file', () => authorized(gateway, NEW));
  });
});

describe('PATCH /api/config', () => {
  const start = (env: Record<string, string> = {}): Promise<Gateway> =>
    startGateway({ config: { gateway: { auth: { token: OLD } } }, env });

  it('writes and applies: live, or by a worker that takes over, and nobody is refused', async () => {
    const gateway = await start();
    const worker = gateway.workerPid();
    const first = await gateway.request('/api/config', { token: OLD });
    expect(first.body).toMatchObject({
      config: { gateway: { auth: { token: { secret: true, set: true, source: 'config' } } } },
      pending: [],
    });
    expect(first.text).not.toContain(OLD);
    const config = first.body['config'] as object;
    const live = await gateway.request('/api/config', {
      token: OLD,
      method: 'PATCH',
      headers: { 'If-Match': String(first.headers['etag']) },
      body: { ...config, logging: { level: 'debug' } },
    });
    expect(live).toMatchObject({
      status: 200,
      body: { status: 'ok', changes: [{ path: 'logging.level', effect: 'live' }] },
    });
    expect(readFileSync(gateway.home.configPath, 'utf8')).toContain(OLD);
    expect(gateway.workerPid()).toBe(worker);
    const stale = await gateway.request('/api/config', {
      token: OLD,
      method: 'PATCH',
      headers: { 'If-Match': String(first.headers['etag']) },
      body: { logging: { level: 'info' } },
    });
    expect(stale).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });

    const restart = await gateway.request('/api/config', {
      token: OLD,
      method: 'PATCH',
      body: { agents: { maxConcurrentTurns: 3 } },
    });
    expect(restart.body).toMatchObject({ changes: [{ path: 'agents.maxConcurrentTurns', effect: 'restart' }] });
    await gateway.nextWorker(worker);
    await eventually('nothing pending', async () => {
      const { body } = await gateway.request('/api/config', { token: OLD });
      return (body['pending'] as unknown[]).length === 0;
    });
    const good = join(gateway.home.stateDir, 'backups', 'xopc.json.last-good');
    await eventually('the copy of what serves', () => readFileSync(good, 'utf8').includes('maxConcurrentTurns'));
  });

  it('refuses faults, credentials that would be lost, and what a variable decides', async () => {
    const gateway = await start({ XOPC_LOG_LEVEL: 'info' });
    const patch = (body: unknown, query = ''): ReturnType<typeof sendRequest> =>
      gateway.request(`/api/config${query}`, { token: OLD, method: 'PATCH', body });
    expect(await patch({ gateway: { port: 'x' } })).toMatchObject({
      status: 400,
      body: { error: { details: [{ path: 'gateway.port' }] } },
    });
    expect(await patch({ gateway: { auth: { token: 'short' } } })).toMatchObject({ status: 400 });
    expect(await patch([1])).toMatchObject({ status: 400 });
    expect(await patch({ gateway: { auth: { token: null } } })).toMatchObject({ status: 409 });
    const locked = await patch({ logging: { level: 'debug' } });
    expect(locked).toMatchObject({ status: 409 });
    expect(locked.text).toContain('XOPC_LOG_LEVEL');
    expect((await gateway.request('/api/config', { token: OLD })).body['locked']).toEqual([
      { path: 'logging.level', by: 'XOPC_LOG_LEVEL' },
    ]);
    expect(await patch({ gateway: { auth: { token: null } } }, '?confirm_loss=true')).toMatchObject({ status: 200 });
  });

  it('leaves earlier revisions, any of which can be restored', async () => {
    const gateway = await start();
    const before = readFileSync(gateway.home.configPath, 'utf8');
    await gateway.request('/api/config', { token: OLD, method: 'PATCH', body: { logging: { level: 'debug' } } });
    const { body } = await gateway.request('/api/config/revisions', { token: OLD });
    expect(body['items']).toMatchObject([{ id: 1 }]);
    const restored = await gateway.request('/api/config/revisions/1/restore', { token: OLD, method: 'POST' });
    expect(restored).toMatchObject({ status: 200, body: { changes: [{ path: 'logging.level', effect: 'live' }] } });
    expect(readFileSync(gateway.home.configPath, 'utf8')).toBe(before);
    expect(await gateway.request('/api/config/revisions/77/restore', { token: OLD, method: 'POST' })).toMatchObject({
      status: 404,
    });
    expect((await gateway.request('/api/config/schema', { token: OLD })).body).toMatchObject({ type: 'object' });
  });
});
