import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { bindListeners, closeListeners, type Listener } from '../../supervisor/socket.ts';
import { startLoad } from '../supervisor/http-load.ts';
import { eventually } from './eventually.ts';
import { createHome, type Home } from './home.ts';
import { sendRequest } from './http.ts';
import { findProcesses, killProcesses } from './processes.ts';

const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist', 'bin', 'xopc.js');

let home: Home | undefined;
let sockets: Listener[] = [];

afterEach(async () => {
  closeListeners(sockets);
  if (home === undefined) return;
  await killProcesses(findProcesses(home.path));
  home.remove();
});

describe.skipIf(process.platform !== 'linux')('with a socket that a service manager holds', () => {
  it('nobody is refused, however often the supervisor is killed and started again', async () => {
    const port = await holdSocket();
    await start();
    const load = startLoad(port, 10, '/health');
    for (let round = 0; round < 5; round += 1) {
      for (let request = 0; request < 20; request += 1) await sendRequest(`http://127.0.0.1:${port}/health`);
      await kill();
      await start();
    }
    const { total, failures } = await load.stop();
    expect(total).toBeGreaterThan(100);
    // Whoever was being answered at that moment is cut off; nobody who comes finds the door closed.
    expect(failures.filter((failure) => !/ECONNRESET|socket hang up/.test(failure))).toEqual([]);
    expect(failures.length).toBeLessThanOrEqual(5 * 10);
  });

  it('who comes while no gateway runs waits, and is answered by the next', async () => {
    const port = await holdSocket();
    await start();
    await kill();
    const asked = sendRequest(`http://127.0.0.1:${port}/health`);
    await start();
    expect((await asked).status).toBe(200);
  });

  it('the port of the configuration and --force do not count, and the one who holds the socket is left alone', async () => {
    const port = await holdSocket();
    await start(['--force', '--port', '1']);
    expect(home?.readLock()?.port).toBe(port);
    expect((await sendRequest(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });
});

/** Binds a socket that this process never accepts on. */
async function holdSocket(): Promise<number> {
  home = createHome({ gateway: { port: 1 } });
  sockets = await bindListeners({ hosts: ['127.0.0.1'], port: 0 });
  return sockets[0]?.port ?? 0;
}

/** Starts the gateway as a service manager would, with the socket as descriptor 3, and waits until a worker serves. */
async function start(args: readonly string[] = []): Promise<ChildProcess> {
  const { path: HOME = '', stateDir: XOPC_HOME = '' } = home ?? {};
  const { fd } = (sockets[0] as unknown as { handle: { fd: number } }).handle;
  const script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"';
  const child = spawn('sh', ['-c', script, process.execPath, program, 'gateway', ...args], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
    env: { PATH: process.env['PATH'], HOME, XOPC_HOME, OLLAMA_HOST: '127.0.0.1:9' },
  });
  await eventually('a worker that serves', () => {
    const lock = home?.readLock();
    return lock?.pid === child.pid && lock?.phase === 'running';
  });
  return child;
}

async function kill(): Promise<void> {
  const pid = home?.readLock()?.pid ?? 0;
  await killProcesses([pid]);
}
