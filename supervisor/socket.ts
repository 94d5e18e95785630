import net, { isIPv4 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { getSystemErrorName } from 'node:util';
import { ExitError } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';

/** A bound TCP socket that nobody listens on yet: libuv's handle, as `server.listen(handle)` takes it. */
type TcpHandle = {
  /** Fills in the bound address. Returns 0 or a negative errno, which is also how a delayed bind error shows. */
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
};

declare module 'node:net' {
  /** Binds without listening; undocumented, returns a negative errno on failure. */
  export function _createServerHandle(
    address: string,
    port: number,
    addressType: 4 | 6,
    fd: number,
    flags: number,
  ): TcpHandle | number;
}

/** A socket that the supervisor holds for its whole life and hands to each worker. */
export type Listener = { host: string; port: number; handle: TcpHandle };

export type BindOptions = {
  /** The first one must work; the others are left out when they do not. */
  hosts: readonly string[];
  /** 0 lets the system choose, and then only the first host is bound. */
  port: number;
  /** How long to try again on a busy port, whose owner may be a worker of ours that is just dying. Default 1,500 ms. */
  retryMs?: number;
  /** Where the locks of our gateways are, to name one that holds the port. */
  locksDir?: string;
  onSkipped?: (host: string, reason: string) => void;
};

const DEFAULT_RETRY_MS = 1_500;
const RETRY_EVERY_MS = 50;

/**
 * Binds the listening sockets. Throws an `ExitError`: 69 when the port is taken, 78 when the address is not ours or needs
 * more rights. Never ends on an address or port that was not asked for.
 */
export async function bindListeners(options: BindOptions): Promise<Listener[]> {
  const [required, ...optional] = options.port === 0 ? options.hosts.slice(0, 1) : options.hosts;
  if (required === undefined) throw new ExitError(EXIT.config, 'There is no address to listen on.');
  const listeners = [await bindPatiently(required, options)];
  for (const host of optional) {
    const listener = await bindHost(host, options.port);
    if (typeof listener === 'string') options.onSkipped?.(host, listener);
    else listeners.push(listener);
  }
  return listeners;
}

/** Gives the sockets back to the system. */
export function closeListeners(listeners: readonly Listener[]): void {
  for (const { handle } of listeners) handle.close();
}

/** The error of a port that somebody else listens on, in the manual's words. `owner` says who, as `describePortOwner` does. */
export function portBusyError(port: number, owner?: string): ExitError {
  const hint = 'Or choose another port with --port.';
  return new ExitError(EXIT.portBusy, `Port ${port} is already in use. Use --force to kill existing process.`, {
    hint: owner === undefined ? hint : `It is held by ${owner}. ${hint}`,
  });
}

async function bindPatiently(
  host: string,
  { port, locksDir, retryMs = DEFAULT_RETRY_MS }: BindOptions,
): Promise<Listener> {
  const deadline = Date.now() + retryMs;
  let owner: Promise<string | undefined> | undefined;
  for (;;) {
    const bound = await bindHost(host, port);
    if (typeof bound !== 'string') return bound;
    if (bound !== 'EADDRINUSE') throw refusal(host, port, bound);
    // Asked while we wait anyway.
    owner ??= findOwner(port, locksDir);
    if (Date.now() >= deadline) throw portBusyError(port, await owner);
    await delay(RETRY_EVERY_MS);
  }
}

async function findOwner(port: number, locksDir: string | undefined): Promise<string | undefined> {
  const { describePortOwner } = await import('./port-owner.ts');
  return describePortOwner(port, locksDir);
}

/** A listener, or the name of the system error. */
async function bindHost(host: string, port: number): Promise<Listener | string> {
  const address = await resolveHost(host);
  if (address === undefined) return 'ENOTFOUND';
  const handle = net._createServerHandle(address, port, isIPv6Literal(address) ? 6 : 4, -1, 0);
  if (typeof handle === 'number') return getSystemErrorName(handle);
  // libuv reports a busy port only here: without this look the worker would end up on 0.0.0.0 and a random port.
  const bound: { address?: string; port?: number } = {};
  const code = handle.getsockname(bound);
  if (code === 0 && bound.address === address && bound.port !== undefined && (port === 0 || bound.port === port)) {
    return { host: address, port: bound.port, handle };
  }
  handle.close();
  return code === 0 ? `bound to ${bound.address}:${bound.port} instead` : getSystemErrorName(code);
}

async function resolveHost(host: string): Promise<string | undefined> {
  if (isIPv4(host) || isIPv6Literal(host)) return host;
  try {
    const { lookup } = await import('node:dns/promises');
    return (await lookup(host)).address;
  } catch {
    return undefined;
  }
}

/** No host name holds a colon. Node's own `isIP` compiles a pattern for this that costs the supervisor more than a megabyte. */
function isIPv6Literal(host: string): boolean {
  return host.includes(':');
}

function refusal(host: string, port: number, reason: string): ExitError {
  switch (reason) {
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
    case 'ENOTFOUND':
      return new ExitError(EXIT.config, `This machine has no address ${host}.`, {
        hint: 'Correct gateway.bind or gateway.customBindHost.',
      });
    case 'EACCES':
      return new ExitError(EXIT.config, `Listening on port ${port} needs more rights than this user has.`, {
        hint: 'Choose a port above 1023 with --port or gateway.port.',
      });
    default:
      return new ExitError(EXIT.config, `Cannot listen on ${host}:${port}: ${reason}.`);
  }
}
