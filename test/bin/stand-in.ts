import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SupervisorStatus } from '../../lib/control.ts';
import { type Paths, resolvePaths } from '../../lib/paths.ts';
import type { ControlHandler } from '../../supervisor/control.ts';
import { acquireLock, type Lock } from '../../supervisor/lock.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { openScene, statusOf } from '../supervisor/control-scene.ts';
import { type CommandResult, runCommand } from './run-command.ts';

export type StandInOptions = {
  home?: string;
  config?: object;
  /** What differs from the status of a gateway that serves; asked for each time. */
  status?: () => Partial<SupervisorStatus>;
  handle?: Partial<ControlHandler>;
  /** No lock file, as if somebody had removed it. */
  isLockless?: boolean;
  /** No control socket, as if it could not be opened. */
  isMute?: boolean;
  port?: number;
};

export type StandIn = {
  home: string;
  paths: Paths;
  instanceId: string;
  lock: Lock | undefined;
  close(): void;
  /** Runs `xopc gateway …` in the home of this gateway. */
  run(...args: string[]): Promise<CommandResult>;
  runWith(env: Record<string, string>, ...args: string[]): Promise<CommandResult>;
};

export const INSTANCE = 'instance-a';

/** A gateway as commands see it, made of the product's own lock and control socket, that says and does what a test wants. */
export async function openStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const home = options.home ?? temporaryDirectory();
  writeFileSync(join(home, 'xopc.json'), JSON.stringify(options.config ?? {}));
  const paths = resolvePaths({ XOPC_HOME: home });
  const { configPath, stateDir } = paths;
  mkdirSync(paths.runDir, { recursive: true });
  const port = options.port ?? 1;
  const lock = options.isLockless === true ? undefined : await takeLock(paths, port);
  const status = (): SupervisorStatus =>
    statusOf({ instanceId: INSTANCE, configPath, stateDir, port, ...options.status?.() });
  const scene =
    options.isMute === true
      ? undefined
      : await openScene({ path: paths.controlSocket, handle: { status, ...options.handle } });
  const runWith = (env: Record<string, string>, ...args: string[]): Promise<CommandResult> =>
    runCommand(['gateway', ...args], { XOPC_HOME: home, ...env });
  return {
    ...{ home, paths, lock, runWith, instanceId: INSTANCE },
    close: () => scene?.socket.close(),
    run: (...args) => runWith({}, ...args),
  };
}

/** Takes the lock of these paths for the process of the test. */
export async function takeLock(paths: Paths, port: number, instanceId = INSTANCE): Promise<Lock> {
  const { lockFile: file, configPath, stateDir } = paths;
  const lock = await acquireLock({ file, configPath, stateDir, instanceId, purpose: 'instance' });
  onTestFinished(() => lock.release());
  lock.update({ port, workerPid: 4321, phase: 'running' });
  return lock;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server of the test; returns its port. */
export async function serveHttp(answer: Answer): Promise<number> {
  const server = createServer(answer);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A server of the test that does not speak HTTP; returns its port. */
export async function serveTcp(treat: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    treat(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Answers with one JSON document, whatever is asked. */
export function always(body: object | (() => object), status = 200): Answer {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(typeof body === 'function' ? body() : body));
  };
}
