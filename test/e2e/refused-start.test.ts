import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { type Finished, runXopc, startGateway, stopAll } from './gateway.ts';
import { createHome, type Home } from './home.ts';
import { findProcesses } from './processes.ts';

afterAll(stopAll);

const TOKEN = 'a-good-long-token-0123456789';

/** Starts a gateway that is expected to give up, and proves that it left nothing running. */
async function start(home: Home, env: Record<string, string> = {}, args: string[] = []): Promise<Finished> {
  const finished = await runXopc(home, ['gateway', ...args], env);
  expect(findProcesses(home.path)).toEqual([]);
  expect(home.readLock()).toBeUndefined();
  return finished;
}

const startWith = (config: ConfigInput | string, env: Record<string, string> = {}): Promise<Finished> =>
  start(createHome(config), env);

describe('a gateway does not start, says why and what to do, and ends with', () => {
  it('69 when the port is taken, in the words of the manual', async () => {
    const { server, port } = await occupyPort();
    const { code, stderr } = await startWith({ gateway: { port } });
    server.close();
    expect(stderr).toContain(`Port ${port} is already in use. Use --force to kill existing process.`);
    expect(code).toBe(69);
  });

  it('78 when the configuration has mistakes, naming all of them', async () => {
    const { code, stderr } = await startWith(
      JSON.stringify({
        gateway: { port: 0, auth: { mode: 'magic' }, drainTimeout: 'soon' },
        agents: { maxConcurrentTurns: 0 },
        channels: { telegram: { enabled: 'yes' } },
        providers: { mine: { apiKey: '\u0024{NO_SUCH_VARIABLE}' } },
      }),
    );
    expect(code).toBe(78);
    for (const path of [
      'gateway.auth.mode',
      'gateway.drainTimeout',
      'agents.maxConcurrentTurns',
      'channels.telegram.enabled',
      'providers.mine.apiKey',
      'NO_SUCH_VARIABLE',
    ])
      expect(stderr).toContain(path);
  });

  it('78 when the configuration is no JSON, naming the place, and without a look at the default port', async () => {
    const { server } = await occupyPort(18_790);
    const { code, stderr } = await startWith('{ "gateway": {\n  "port": 0,,\n} }');
    server.close();
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('line 2, column') });
  });

  it.each([
    ['is a placeholder', { token: 'change-me-to-a-long-random-token' }, 'well-known placeholder'],
    ['is short', { token: 'short' }, 'has 5 characters, at least 16 are needed'],
    ['stands beside a password', { token: TOKEN, password: 'a-good-password' }, 'token and password are both set'],
    ['is missing for mode password', { mode: 'password' } as const, 'gateway.auth.password'],
  ])('78 when the secret %s', async (_what, auth, message) => {
    const { code, stderr } = await startWith({ gateway: { auth } });
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining(message) });
  });

  it('78 when token and password come from different places', async () => {
    const { code, stderr } = await startWith(
      { gateway: { auth: { token: TOKEN } } },
      { XOPC_GATEWAY_PASSWORD: 'a-good-password' },
    );
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('both set') });
    expect(stderr).not.toContain(TOKEN);
  });

  it('78 when everybody on the network could use it', async () => {
    const { code, stderr } = await startWith({ gateway: { bind: 'lan', auth: { mode: 'none' } } });
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('"none"') });
  });

  it('78 when the database is damaged, and the file stays as it is', async () => {
    const home = createHome({});
    const directory = join(home.stateDir, 'state');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = join(directory, 'gateway.db');
    const content = Buffer.from('SQLite format 3\0 but the rest is gone '.repeat(200));
    writeFileSync(file, content, { mode: 0o600 });
    const { code, stderr } = await start(home);
    expect(code).toBe(78);
    expect(stderr).toContain(file);
    expect(readFileSync(file).equals(content)).toBe(true);
  });

  it('78 when another configuration uses the same state directory', async () => {
    const first = await startGateway({ config: {} });
    const config = join(first.home.path, 'other.json');
    writeFileSync(config, JSON.stringify({ gateway: { port: 0 } }));
    const env = { XOPC_STATE_DIR: first.home.stateDir };
    const { code, stderr } = await runXopc(first.home, ['gateway', '--config', config], env);
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining(`PID ${first.supervisorPid}`) });
    expect((await first.request('/health')).status).toBe(200);
    await first.kill('tree');
  });
});

it('under a service manager a busy port is 78, so that nothing spins', async () => {
  const { server, port } = await occupyPort();
  const { code } = await startWith({ gateway: { port } }, { XOPC_SERVICE_MARKER: 'systemd' });
  server.close();
  expect(code).toBe(78);
});

it('an unknown key is only a warning that names the nearest one', async () => {
  const home = createHome(JSON.stringify({ gateway: { port: 0, prot: 1 } }));
  const gateway = await startGateway({ home });
  expect(home.readLog()).toContain('gateway.prot');
  await gateway.kill('tree');
});

/** Listens on a port, by default any; one that somebody else holds is occupied, too. */
function occupyPort(wanted = 0): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve({ server, port: wanted }));
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
    });
  });
}
