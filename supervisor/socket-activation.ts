import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Environment } from '../lib/env.ts';
import { ExitError } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import { closeListeners, type Listener } from './socket.ts';

/** What libuv makes of an inherited socket: one of TCP, or one that has no address. */
type InheritedHandle = Listener['handle'] & {
  /** 0 when somebody is at the other end, else a negative errno. */
  getpeername?(out: object): number;
};

declare module 'node:net' {
  /** Takes a descriptor over instead of binding one. Node (20 to 24) throws unless address and port are empty. */
  export function _createServerHandle(
    address: null,
    port: 0,
    addressType: 4,
    fd: number,
    flags: number,
  ): InheritedHandle | number;
}

/** The first descriptor that a service manager passes on (sd_listen_fds(3)). */
const FIRST_FD = 3;

/**
 * The listening sockets that a service manager opened for us and holds while we are away (SPEC 3.4); null when it passed none
 * to this process. Throws an `ExitError` 78 when they are anything else than TCP sockets that listen on one port.
 */
export function takeActivatedListeners(env: Environment): Listener[] | null {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (env['LISTEN_PID'] !== String(process.pid) || !Number.isInteger(count) || count < 1) return null;
  const listeners: Listener[] = [];
  try {
    for (let fd = FIRST_FD; fd < FIRST_FD + count; fd += 1) listeners.push(takeListener(fd));
    refuseSeveralPorts(listeners);
    return listeners;
  } catch (error) {
    closeListeners(listeners);
    throw error;
  }
}

function takeListener(fd: number): Listener {
  const handle = net._createServerHandle(null, 0, 4, fd, 0);
  if (typeof handle === 'number') throw refusal(`Socket ${fd} is none for TCP: ${getSystemErrorName(handle)}.`);
  try {
    return { ...readAddress(handle, fd), handle };
  } catch (error) {
    handle.close();
    throw error;
  }
}

function readAddress(handle: InheritedHandle, fd: number): { host: string; port: number } {
  // A Unix socket is a pipe to libuv, which has neither of the two.
  if (handle.getpeername === undefined) throw refusal(`Socket ${fd} is none for TCP.`);
  if (handle.getpeername({}) === 0) throw refusal(`Socket ${fd} is a connection, it does not listen.`);
  const { address, port = 0 } = readName(handle);
  if (address === undefined || port === 0) throw refusal(`Socket ${fd} does not listen on a port.`);
  return { host: address, port };
}

function readName(handle: InheritedHandle): { address?: string; port?: number } {
  const name: { address?: string; port?: number } = {};
  handle.getsockname(name);
  return name;
}

function refuseSeveralPorts(listeners: readonly Listener[]): void {
  const ports = new Set(listeners.map(({ port }) => port));
  if (ports.size > 1) throw refusal(`They listen on different ports: ${[...ports].join(', ')}.`);
}

function refusal(reason: string): ExitError {
  return new ExitError(EXIT.config, `The sockets from the service manager cannot be used. ${reason}`, {
    hint: 'Correct the .socket unit: ListenStream= with an address and a port, the same port in each line, Accept=no.',
  });
}
