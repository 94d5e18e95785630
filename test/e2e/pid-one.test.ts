import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { eventually } from './eventually.ts';
import { createHome, type Home } from './home.ts';
import { type HttpReply, sendRequest } from './http.ts';
import { findProcesses, killProcesses } from './processes.ts';
import { startWorld, type World } from './world.ts';

/** The product as the first process of a PID namespace, as in a container that has no init. */

const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist', 'bin', 'xopc.js');
const UNSHARE = [...(process.getuid?.() === 0 ? [] : ['-Ur']), '--pid', '--fork', '--mount-proc', '--kill-child'];
/** Many containers forbid new namespaces, and other systems have none. */
const isPermitted = spawnSync('unshare', [...UNSHARE, 'true']).status === 0;

describe.skipIf(!isPermitted)('as PID 1 the gateway', () => {
  let world: World;
  const homes: Home[] = [];

  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    for (const home of homes) {
      await killProcesses(findProcesses(home.path));
      home.remove();
    }
    await world.stop();
  });

  it('warns that it cannot reap what its tools leave behind, says what to do, and ends with 0 when asked to', async () => {
    const gateway = await start(world.configure());
    expect(gateway.home.readLock()?.pid).toBe(1);
    expect(gateway.home.readLog()).toMatch(/"level":40.*runs as PID 1.*docker run --init/);
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toBe(0);
    expect(findProcesses(gateway.home.path)).toEqual([]);
    expect(gateway.home.readLock()).toBeUndefined();
  });

  it('lets a turn finish when the container is stopped', async () => {
    const gateway = await start(world.configure());
    const asked = gateway.ask('[[delay=1000]] last words');
    await eventually('the model thinks', async () =>
      (await world.llm.calls()).some(
        ({ outcome, body }) => outcome === 'pending' && /last words/.test(JSON.stringify(body)),
      ),
    );
    gateway.signal('SIGTERM');
    expect(await asked).toMatchObject({ status: 200, body: { reply: 'echo: last words' } });
    expect(await gateway.ended).toBe(0);
  });

  it('replaces its worker on SIGUSR1 and keeps the container alive', async () => {
    const gateway = await start(world.configure());
    const first = gateway.home.readLock()?.workerPid;
    gateway.signal('SIGUSR1');
    await eventually('another worker', () => gateway.home.readLock()?.workerPid !== first);
    expect(await gateway.ask('still here')).toMatchObject({ status: 200, body: { reply: 'echo: still here' } });
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toBe(0);
  });

  it('ends the container with 78 when the configuration has a mistake', async () => {
    const { ended } = launch('{"gateway":{"port":0,"drainTimeout":"soon"}}');
    expect(await ended).toBe(78);
  });

  async function start(config: ConfigInput): Promise<Running & { ask(message: string): Promise<HttpReply> }> {
    const running = launch(config);
    const port = await eventually('the worker serves', () => {
      const lock = running.home.readLock();
      return lock?.phase === 'running' ? (lock.port ?? undefined) : undefined;
    });
    return {
      ...running,
      ask(message) {
        const headers = { Authorization: `Bearer ${running.home.readToken()}` };
        return sendRequest(`http://127.0.0.1:${port}/api/agent`, { method: 'POST', headers, body: { message } });
      },
    };
  }

  function launch(config: ConfigInput | string): Running {
    const home = createHome(config);
    homes.push(home);
    const env = { PATH: process.env['PATH'], HOME: home.path, XOPC_HOME: home.stateDir, OLLAMA_HOST: '127.0.0.1:9' };
    const child = spawn('unshare', [...UNSHARE, process.execPath, program, 'gateway'], { stdio: 'ignore', env });
    return {
      home,
      // unshare passes on how its child ends, but no signals.
      ended: new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal))),
      signal: (name) => void process.kill(findFirstProcess(home), name),
    };
  }
});

type Running = { home: Home; ended: Promise<number | string | null>; signal(name: NodeJS.Signals): void };

/** The pid that PID 1 of the namespace has outside of it. */
function findFirstProcess(home: Home): number {
  const found = findProcesses(home.path).find((pid) =>
    /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
  );
  if (found === undefined) throw new Error('There is no PID 1.');
  return found;
}
