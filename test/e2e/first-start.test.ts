import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { findProcesses, readCommandLines } from './processes.ts';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway({ args: ['--port', '0'] });
});
afterAll(stopAll);

describe('the first start in a new home', () => {
  it('writes a configuration that names its schema', () => {
    const config = JSON.parse(readFileSync(gateway.home.configPath, 'utf8'));
    expect(config).toMatchObject({ gateway: { port: 18_790, bind: 'loopback', auth: { mode: 'token' } } });
    expect(existsSync(join(gateway.home.stateDir, config.$schema))).toBe(true);
    expect(gateway.stdout()).toContain(`Wrote a first configuration: ${gateway.home.configPath}`);
  });

  it('lets nobody but the owner read anything it writes', () => {
    const { stateDir } = gateway.home;
    const paths = readdirSync(stateDir, { recursive: true }).map((name) => join(stateDir, String(name)));
    const open = [stateDir, ...paths].filter((path) => {
      const stat = statSync(path);
      return (stat.mode & 0o777) !== (stat.isDirectory() ? 0o700 : stat.isSocket() ? stat.mode & 0o700 : 0o600);
    });
    expect(open).toEqual([]);
  });

  it('makes a long token that opens the API', async () => {
    expect(gateway.token).toMatch(/^[0-9a-f]{48}$/);
    expect((await gateway.request('/api/sessions')).status).toBe(200);
    expect((await gateway.request('/api/sessions', { token: null })).status).toBe(401);
    expect((await gateway.request('/api/sessions', { token: `${gateway.token.slice(0, -1)}x` })).status).toBe(401);
  });

  it('says where it listens, who it is and how to reach the console, with the token masked', () => {
    const { supervisorPid, port, token } = gateway;
    const banner = gateway.stdout();
    expect(banner).toContain('Gateway is running');
    expect(banner).toContain(`URL: http://localhost:${port}`);
    expect(banner).toContain(`Token: ${token.slice(0, 8)}...${token.slice(-8)}`);
    expect(banner).toContain(`PIDs: supervisor ${supervisorPid}, worker ${gateway.workerPid()}`);
    expect(banner).toContain(`Console: http://localhost:${port}/`);
  });

  it('is two processes with names of their own', () => {
    const pids = findProcesses(gateway.home.path);
    expect(pids.sort()).toEqual([gateway.supervisorPid, gateway.workerPid()].sort());
    expect(readCommandLines([gateway.supervisorPid])[0]).toBe('xopc-supervisor');
    expect(readCommandLines([gateway.workerPid()])[0]).toBe('xopc-worker');
  });

  it('answers without any model, and says how to get one', async () => {
    const { body } = await gateway.request('/api/agent', { method: 'POST', body: { message: 'Hello?' } });
    expect(body).toMatchObject({ status: 'ok', session: 'default' });
    expect(body['reply']).toContain('I received: “Hello?”');
    expect(body['reply']).toContain('No model is configured yet');
  });

  it('keeps the token to itself: not in command lines, logs or output that is no terminal', () => {
    const lines = readCommandLines(findProcesses(gateway.home.path));
    for (const text of [...lines, gateway.home.readLog(), gateway.stdout(), gateway.stderr()])
      expect(text).not.toContain(gateway.token);
  });
});

it('a token survives restarts, and the sessions do', async () => {
  const { home, token } = gateway;
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  gateway = await startGateway({ home, args: ['--port', '0'] });
  expect(gateway.token).toBe(token);
  expect((await gateway.request('/api/sessions')).body).toMatchObject({ total: 1 });
});

it('a token given on the command line is used, and no longer seen there once the gateway runs', async () => {
  await gateway.stop();
  const token = 'a-token-of-the-command-line-0123456789';
  gateway = await startGateway({ home: gateway.home, args: ['--port', '0', '--token', token] });
  expect((await gateway.request('/api/sessions', { token })).status).toBe(200);
  const lines = readCommandLines(findProcesses(gateway.home.path));
  for (const text of [...lines, gateway.home.readLog(), gateway.stdout()]) expect(text).not.toContain(token);
});

it('speaks Chinese when the environment does', async () => {
  const { stdout } = await runXopc(gateway.home, ['gateway', 'status'], { LANG: 'zh_CN.UTF-8' });
  expect(stdout).toMatch(/[\u4e00-\u9fff]/);
  expect(stdout).not.toContain('Gateway is running');
});
