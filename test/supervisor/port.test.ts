import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { ExitError } from '../../lib/errors.ts';
import { endListeners } from '../../supervisor/port.ts';
import { programPath } from '../fixtures/programs.ts';
import { isRunning, until } from './running-supervisor.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe.runIf(process.platform === 'linux')('endListeners', () => {
  it('ends nothing when nobody listens', async () => {
    const holder = await startHolder();
    await endListeners(holder.port);
    expect(await endListeners(holder.port)).toEqual([]);
  });

  it('ends the process that listens and names it', async () => {
    const { pid, port } = await startHolder();
    expect(await endListeners(port)).toEqual([{ pid, command: 'node' }]);
    expect(isRunning(pid)).toBe(false);
  });

  it('kills one that ignores SIGTERM, after 700 ms', async () => {
    const { pid, port } = await startHolder(['stubborn']);
    const startedAt = Date.now();
    expect(await endListeners(port)).toMatchObject([{ pid }]);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(700);
    await until(() => !isRunning(pid), 'it is gone');
  });

  it('ends a whole family that shares the socket, the parent first so that it restarts nobody', async () => {
    const { pid, port, lines } = await startHolder(['family']);
    await until(() => lines.length === 2, 'the child holds the socket');
    const child = Number(lines[1]?.split(' ')[0]);
    const ended = await endListeners(port);
    expect(ended.map((entry) => entry.pid).sort()).toEqual([pid, child].sort());
    expect(ended.map((entry) => entry.command)).toContain('sleep');
    await until(() => !isRunning(child), 'the child is gone');
    expect(await endListeners(port)).toEqual([]);
  });

  it('refuses with 78 to end itself or what started it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const error = await refusal((server.address() as AddressInfo).port);
    server.close();
    expect(error.exitCode).toBe(78);
    expect(error.message).toContain(`PID ${process.pid}`);
  });

  it.runIf(process.getuid?.() === 0)('refuses with 78 to touch the process of another user', async () => {
    const { pid, port } = await startHolder([], 65_534);
    const error = await refusal(port);
    expect(error.exitCode).toBe(78);
    expect(error.message).toContain('belongs to another user (id 65534)');
    expect(isRunning(pid)).toBe(true);
  });
});

async function startHolder(
  traits: string[] = [],
  uid?: number,
): Promise<{ pid: number; port: number; lines: string[] }> {
  const child = spawn(process.execPath, [programPath('port-holder'), '0', ...traits], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid }),
  });
  children.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until(() => lines.length > 0, 'it listens');
  const [pid = 0, port = 0] = lines[0]?.split(' ').map(Number) ?? [];
  return { pid, port, lines };
}

async function refusal(port: number): Promise<ExitError> {
  const error: unknown = await endListeners(port).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ExitError)) throw new Error(`Expected a refusal, got ${String(error)}`);
  return error;
}
