import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRunning } from '../supervisor/running-supervisor.ts';
import { eventually } from './eventually.ts';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { createHome, type Home } from './home.ts';

let gateway: Gateway;
let reader: { token: string; entry: { name: string; hash: string; scopes: ['operator.read'] } };

beforeAll(async () => {
  const home = createHome();
  const made = await runXopc(home, ['gateway', 'token', 'create', 'reader', '--scope', 'read', '--json']);
  reader = JSON.parse(made.stdout);
  home.configure({
    gateway: { auth: { tokens: [reader.entry] }, corsOrigins: ['*'], allowedHosts: ['gw.example'] },
  });
  gateway = await startGateway({ home });
});
afterAll(stopAll);

describe('the real gateway', () => {
  it('answers to its own names, and to no name of a stranger', async () => {
    for (const host of ['gw.example', `localhost:${gateway.port}`, '192.168.1.5'])
      expect((await gateway.request('/api/sessions', { headers: { Host: host } })).status).toBe(200);
    const evil = await gateway.request('/api/sessions', { headers: { Host: `evil.example:${gateway.port}` } });
    expect(evil.status).toBe(421);
    expect(evil.text).toContain('allowedHosts');
  });

  it('tells with a 401 which source counts and how to tell the tokens apart, and shows neither', async () => {
    const wrong = 'canary-of-somebody-who-guesses';
    const { status, text } = await gateway.request('/api/sessions', { token: wrong });
    expect(status).toBe(401);
    expect(text).toContain(`${gateway.home.stateDir}/credentials/gateway-token`);
    expect(text.match(/sha256:[0-9a-f]{8}/g)).toHaveLength(2);
    expect(text).not.toContain(wrong);
    expect(text).not.toContain(gateway.token);
  });

  it('tells what its audit found: in the log, over the API, by status and by doctor', async () => {
    const ids = ['gateway.cors.wildcard', 'gateway.auth.auto_generated_token'];
    const { body } = await gateway.request('/api/status', { token: reader.token });
    expect(body).toMatchObject({ status: 'healthy', pid: gateway.workerPid(), channels: expect.any(Array) });
    expect(body['findings']).toMatchObject(ids.map((checkId) => ({ checkId, remediation: expect.any(String) })));
    for (const id of ids) expect(gateway.home.readLog()).toContain(`"checkId":"${id}"`);
    const [shown, json, doctor] = await Promise.all([
      runXopc(gateway.home, ['gateway', 'status']),
      runXopc(gateway.home, ['gateway', 'status', '--json']),
      runXopc(gateway.home, ['gateway', 'doctor', '--json']),
    ]);
    expect(shown.stdout).toContain('Every web page may call the API');
    expect(JSON.parse(json.stdout).findings).toHaveLength(2);
    expect(JSON.parse(doctor.stdout).findings).toContainEqual(
      expect.objectContaining({ code: ids[0], severity: 'warn' }),
    );
  });

  it('restarts for those who may administer, answers before it does, and refuses nobody meanwhile', async () => {
    const previous = gateway.workerPid();
    const refused = await gateway.request('/api/restart', { method: 'POST', token: reader.token });
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('operator.admin; \\"reader\\" has')]);
    const accepted = await gateway.request('/api/restart', { method: 'POST' });
    expect([accepted.status, accepted.body]).toEqual([202, { status: 'ok', restarting: true, generation: 1 }]);
    await gateway.nextWorker(previous);
    await eventually('the end of the old worker', () => !isRunning(previous));
    expect((await gateway.request('/api/status')).body['generation']).toBe(2);
    expect(gateway.home.readLog()).toContain('POST /api/restart by owner');
  });

  it('does not restart once the configuration forbids it, without being told', async () => {
    const { home } = gateway;
    home.configure({ gateway: { port: gateway.port }, commands: { restart: false } });
    const { status, text } = await gateway.request('/api/restart', { method: 'POST' });
    expect([status, text]).toEqual([403, expect.stringContaining('commands.restart')]);
  });
});

describe('the real gateway, closed', () => {
  let closed: Gateway;
  beforeAll(async () => {
    closed = await startGateway({ config: { gateway: { corsOrigins: ['https://app.example.com'] } } });
  });

  it('lets no page of a stranger call it, and names the line that would', async () => {
    const headers = { Origin: 'https://evil.example' };
    const { status, text, headers: answered } = await closed.request('/api/sessions', { headers });
    expect(status).toBe(403);
    expect(text).toContain('\\"corsOrigins\\": [\\"https://evil.example\\"]');
    expect(answered['access-control-allow-origin']).toBeUndefined();
    const own = await closed.request('/api/sessions', { headers: { Origin: closed.url } });
    expect(own.status).toBe(200);
    const asked = await closed.request('/api/sessions', {
      ...{ method: 'OPTIONS', token: null },
      headers: { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'DELETE' },
    });
    expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([204, 'https://app.example.com']);
  });

  it('goes on for its owner while somebody else on this machine guesses', async () => {
    const wrong = async (): Promise<number> => (await closed.request('/api/sessions', { token: 'guess' })).status;
    const codes = await Promise.all(Array.from({ length: 30 }, wrong));
    expect(codes.filter((code) => code === 429)).toHaveLength(25);
    expect((await closed.request('/api/sessions')).status).toBe(200);
    expect((await runXopc(closed.home, ['gateway', 'pairing', 'list'])).code).toBe(0);
  });
});

describe('a gateway that would be open to strangers', () => {
  it.each<[string, Parameters<Home['configure']>[0], string]>([
    ['to every page', { gateway: { bind: 'lan', corsOrigins: ['*'] } }, 'corsOrigins'],
    ['without authentication', { gateway: { bind: 'lan', auth: { mode: 'none' } } }, 'gateway.auth.mode'],
  ])('%s does not start', async (_how, config, cause) => {
    const { code, stderr } = await runXopc(createHome(config), ['gateway']);
    expect([code, stderr]).toEqual([78, expect.stringContaining(cause)]);
  });
});
