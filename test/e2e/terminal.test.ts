import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { startGateway, stopAll } from './gateway.ts';
import { createHome, type Home } from './home.ts';
import { sendRequest } from './http.ts';
import { findProcesses, killProcesses } from './processes.ts';

const program = join(import.meta.dirname, '..', '..', 'dist', 'bin', 'xopc.js');
const homes: Home[] = [];

afterAll(async () => {
  for (const home of homes) {
    await killProcesses(findProcesses(home.path));
    home.remove();
  }
  await stopAll();
});

type Session = {
  home: Home;
  screen(): string;
  type(keys: string): void;
  close(): void;
  exitCode: Promise<number | null>;
};

/** Starts the gateway on a pseudo-terminal, as a person does. `script` reports the gateway's own exit code. */
async function startOnTerminal(): Promise<Session> {
  const home = createHome({});
  homes.push(home);
  const env = {
    PATH: process.env['PATH'],
    HOME: home.path,
    XOPC_HOME: home.stateDir,
    OLLAMA_HOST: '127.0.0.1:9',
    TERM: 'xterm',
  };
  const child: ChildProcess = spawn(
    'script',
    ['-qfec', `exec '${process.execPath}' '${program}' gateway`, '/dev/null'],
    {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  let screen = '';
  child.stdout?.on('data', (chunk) => {
    screen += String(chunk);
  });
  await eventually('the banner', () => screen.includes('Ctrl+C'), 15_000);
  return {
    home,
    screen: () => screen,
    type: (keys) => void child.stdin?.write(keys),
    close: () => void child.kill('SIGKILL'),
    exitCode: new Promise((resolve) => child.once('exit', resolve)),
  };
}

it('a terminal shows a one-click link with the token behind the hash, and a log that people can read', async () => {
  const session = await startOnTerminal();
  const token = session.home.readToken();
  expect(session.screen()).toContain(`/#token=${token}`);
  expect(session.screen()).toContain('✅ Gateway is running');
  expect(session.screen()).toContain('INFO');
  expect(session.screen()).not.toContain('{"name"');
  expect(session.home.readLog()).not.toContain(token);
  session.type('\x03');
  expect(await session.exitCode).toBe(0);
  expect(findProcesses(session.home.path)).toEqual([]);
});

it('closing the terminal stops the gateway, and nothing stays behind', async () => {
  const session = await startOnTerminal();
  session.close();
  await eventually('the end of the gateway', () => findProcesses(session.home.path).length === 0, 10_000);
  expect(session.home.readLock()).toBeUndefined();
  expect(session.home.readLog()).toContain('The terminal was closed.');
});

it('a closed standard output does not end the gateway, whose log goes on in its file', async () => {
  const gateway = await startGateway({ config: {} });
  gateway.closeOutput();
  expect(await gateway.request('/api/agent', { method: 'POST', body: { message: 'still there?' } })).toMatchObject({
    status: 200,
  });
  expect(await gateway.request('/api/sessions')).toMatchObject({ status: 200 });
  await eventually('the log', () => gateway.home.readLog().includes('/api/sessions'));
  expect(gateway.home.readLog()).not.toContain('EPIPE');
  expect(gateway.home.readLog()).not.toContain('Worker is gone');
  expect(await gateway.stop()).toMatchObject({ code: 0 });
});

it('--force ends the gateway that holds the port and serves there itself', async () => {
  const first = await startGateway({ config: {} });
  const second = await startGateway({ config: { gateway: { port: first.port } }, args: ['--force'] });
  expect((await first.ended).code).toBe(0);
  const { body } = await sendRequest(`${second.url}/health`, {});
  expect(body).toMatchObject({ status: 'healthy' });
  expect(second.home.readLog()).toContain('Ended the process that held the port.');
  await second.stop();
});
