import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Fatal, readFatal } from '../../supervisor/fatal.ts';
import { runXopc, startGateway, stopAll } from './gateway.ts';
import { createHome, type Home } from './home.ts';

afterAll(stopAll);

const fatalFile = (home: Home): string => join(home.stateDir, 'run', 'fatal.json');
const fatalOf = (home: Home): Fatal | undefined => readFatal(fatalFile(home));
const start = (home: Home, marker?: string): Promise<{ code: number | null; stderr: string }> =>
  runXopc(home, ['gateway'], marker === undefined ? {} : { XOPC_SERVICE_MARKER: marker });

describe('a start that needs a person', () => {
  it.each([
    [undefined, 78],
    ['systemd', 78],
    ['launchd', 0],
    ['schtasks', 0],
  ])('ends under the service manager "%s" with %i, and keeps the reason', async (marker, expected) => {
    const home = createHome({ gateway: { auth: { token: 'short' } } });
    const { code, stderr } = await start(home, marker);
    expect(code).toBe(expected);
    expect(fatalOf(home)).toMatchObject({ exitCode: 78, message: expect.stringContaining('token') });
    expect(stderr).toContain(fatalOf(home)?.message);
    expect(home.readLog()).toContain('"level":60');
    expect(home.readLog()).toContain(JSON.stringify(fatalOf(home)?.message));
  });

  it('because of a busy port ends with 69, but with 78 for systemd and 0 for launchd', async () => {
    const port = await occupyPort();
    const ends = [undefined, 'systemd', 'launchd'].map(async (marker) => {
      const home = createHome({ gateway: { port } });
      const { code } = await start(home, marker);
      expect(fatalOf(home)).toMatchObject({ exitCode: 69, message: expect.stringContaining(String(port)) });
      return code;
    });
    expect(await Promise.all(ends)).toEqual([69, 78, 0]);
  });

  it('because the file is no JSON is kept and logged too', async () => {
    const home = createHome('{ "gateway": ');
    expect((await start(home, 'launchd')).code).toBe(0);
    expect(fatalOf(home)).toMatchObject({ exitCode: 78, message: expect.stringContaining('xopc.json') });
    expect(home.readLog()).toContain('xopc.json');
  });

  it('is forgotten as soon as a worker serves', async () => {
    const home = createHome('{ "gateway": ');
    await start(home);
    expect(fatalOf(home)?.exitCode).toBe(78);
    home.configure({});
    const gateway = await startGateway({ home });
    expect(existsSync(fatalFile(home))).toBe(false);
    await gateway.stop();
    expect(existsSync(fatalFile(home))).toBe(false);
  });
});

describe('a second start', () => {
  it('never says of the gateway that runs that it needs a person', async () => {
    const gateway = await startGateway({ config: {} });
    const { home } = gateway;
    const ends = await Promise.all([start(home), start(home, 'systemd'), start(home, 'launchd')]);
    expect(ends.map(({ code }) => code)).toEqual([75, 78, 0]);
    const config = readFileSync(home.configPath, 'utf8');
    home.configure('{ "gateway": ');
    expect((await start(home)).code).toBe(78);
    writeFileSync(home.configPath, config);
    expect(existsSync(fatalFile(home))).toBe(false);
    await gateway.stop();
  });
});

describe('the other commands', () => {
  it('keep their exit codes when a tool of the gateway calls them', async () => {
    const home = createHome({});
    const { code } = await runXopc(home, ['gateway', 'status'], { XOPC_SERVICE_MARKER: 'launchd' });
    expect(code).toBe(3);
  });
});

async function occupyPort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
