import { connect } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ControlResults, SupervisorStatus } from '../../lib/control.ts';
import { type ControlHandler, type ControlSocket, openControlSocket } from '../../supervisor/control.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { openMemoryLog } from './memory-log.ts';
import type { LogRecord } from './running-supervisor.ts';

/** The status of a gateway that serves and has nothing to tell. */
export function statusOf(change: Partial<SupervisorStatus> = {}): SupervisorStatus {
  return {
    phase: 'running',
    reason: 'worker 1 is ready',
    since: '2026-03-04T05:06:07.000Z',
    pid: process.pid,
    version: '1.2.3',
    instanceId: 'instance-a',
    startedAt: '2026-03-04T05:06:06.000Z',
    uptimeMs: 61_000,
    configPath: '/etc/xopc.json',
    stateDir: '/var/xopc',
    hosts: ['127.0.0.1'],
    port: 18_790,
    service: null,
    active: 1,
    workers: [],
    crashes: { recent: 0, limit: 5 },
    lastExits: [],
    restartFailure: null,
    wasPlanned: false,
    ...change,
  };
}

/** A handler that agrees to everything. */
export function handlerOf(change: Partial<ControlHandler> = {}): ControlHandler {
  return {
    status: () => statusOf(),
    stop: (): ControlResults['stop'] => ({ phase: 'draining' }),
    restart: (): ControlResults['restart'] => ({ generation: 2 }),
    token: (): ControlResults['token'] => ({ authMode: 'token', token: 'canary0123456789abcdef0123456789abcdef' }),
    report: () => ({}),
    ...change,
  };
}

type SceneOptions = { path?: string; handle?: Partial<ControlHandler>; clientMs?: number };
type Scene = { path: string; socket: ControlSocket; records: LogRecord[] };

/** Opens a control socket in a directory of its own; closed when the test ends. */
export async function openScene({ handle, path, clientMs }: SceneOptions = {}): Promise<Scene> {
  const { log, records } = openMemoryLog();
  const options = {
    path: path ?? join(temporaryDirectory(), 'run', 'control.sock'),
    handle: handlerOf(handle),
    log,
    ...(clientMs === undefined ? {} : { clientMs }),
  };
  const socket = await openControlSocket(options);
  onTestFinished(() => socket.close());
  return { path: options.path, socket, records };
}

/** Writes bytes to a socket as they are and returns what comes back until the other side hangs up. `isPatient` sends no end. */
export function sendRaw(path: string, bytes: string | Buffer, isPatient = false): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const client = connect({ path, allowHalfOpen: true });
    client.setEncoding('utf8');
    client.on('data', (chunk: string) => {
      answer += chunk;
    });
    client.on('error', () => undefined);
    client.on('end', () => client.end());
    client.on('close', () => resolve(answer));
    if (isPatient) client.write(bytes);
    else client.end(bytes);
  });
}
