import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../lib/errors.ts';
import type { DrainMode } from '../lib/ipc.ts';
import { type InTurn, serveInTurn } from './in-turn.ts';
import { explainParseError, formatAnswer, formatBytes, type RawAnswer } from './raw-answer.ts';

/** A socket that the supervisor bound, with the address it was asked for. */
export type BoundSocket = { handle: unknown; host: string; port: number };

export type DrainOptions = {
  mode: DrainMode;
  /** How long running requests may take, in milliseconds (manual: 5 s). */
  requestsMs: number;
  /** Requests that wait for something which is still allowed to finish, and how long they may. */
  isExcused(request: http.IncomingMessage): boolean;
  excusedMs: number;
};

/** What slow, many or bulky clients may take; times in milliseconds. */
export type ServerLimits = {
  /** Open connections; requests on further ones are answered 503. */
  maxConnections: number;
  /** From the connection, or the last answer's end, to the end of the headers. */
  headersMs: number;
  /** The same to the end of the body. */
  requestMs: number;
  /** How often those two are looked after. */
  checkMs: number;
  /** How long a client may take nothing of an answer that waits for it. */
  stallMs: number;
};

export type Server = {
  /** Takes connections on all sockets. Rejects when one is not what it was said to be. */
  listen(sockets: readonly BoundSocket[]): Promise<{ hosts: string[]; port: number }>;
  /** Stops taking connections and ends the open ones, the idle ones after a moment, the busy ones within the time given. */
  drain(options: DrainOptions): Promise<void>;
  readonly requests: number;
};

/** Clients that think between two requests see `Connection: close` on an answer before their connection goes (measured: 0 resets at 1 s). */
const LINGER_MS = 1_000;

/** A connection that was accepted a moment ago may not have sent its request yet; on a stop it gets this long. */
const STOP_LINGER_MS = 300;

const POLL_MS = 20;

/** What the last answers may take to leave. */
const FLUSH_MS = 500;

/** The kernel holds this many connections while workers change. */
const BACKLOG = 4_096;

/** Connections beyond the limit that still get an answer; what comes on top is closed at once. */
const SURPLUS = 256;

const MAX_HEADERS = 100;

/** No client that means well sends so many requests before it has read an answer. */
const MAX_WAITING = 100;

const DEFAULT_LIMITS: ServerLimits = {
  maxConnections: 2_000,
  headersMs: 10_000,
  requestMs: 60_000,
  checkMs: 1_000,
  stallMs: 60_000,
};

/** Serves an application on sockets bound by the supervisor, answers what is no request, and leaves without resetting anybody. */
export function createServer(handler: http.RequestListener, given: Partial<ServerLimits> = {}): Server {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const servers: http.Server[] = [];
  const open = new Map<http.ServerResponse, http.IncomingMessage>();
  const surplus = new WeakSet<net.Socket>();
  let connections = 0;
  let isDraining = false;

  const onDisconnect = (): void => {
    connections -= 1;
  };

  const onConnection = (socket: net.Socket): void => {
    connections += 1;
    socket.once('close', onDisconnect);
    if (connections > limits.maxConnections) surplus.add(socket);
  };

  /** Nothing has moved for a while. A turn may take long before its first word; who does not read its answer is cut off. */
  const onIdle = (socket: net.Socket): void => {
    const isThinking = socket.writableLength === 0 && [...open.values()].some((request) => request.socket === socket);
    if (isThinking) socket.setTimeout(limits.stallMs);
    else socket.destroy();
  };

  const onClientError = (error: Error, socket: Duplex): void => {
    const isAnswering = [...open].some(([response, { socket: own }]) => own === socket && response.headersSent);
    // Browsers open connections in advance, and would take an answer for that to their next request.
    const isSilent = socket instanceof net.Socket && socket.bytesRead === 0;
    if (isAnswering || isSilent || !socket.writable) socket.destroy();
    else socket.end(formatBytes(explainParseError(errorCode(error))), () => socket.destroy());
  };

  const onClose = function (this: http.ServerResponse): void {
    open.delete(this);
    inTurn.onClosed(this.req.socket);
  };

  const begin: http.RequestListener = (request, response) => {
    open.set(response, request);
    response.on('close', onClose);
    if (isDraining) response.setHeader('Connection', 'close');
    const refusal = surplus.has(request.socket) ? explainSurplus(limits) : explainHeaders(request);
    if (refusal === undefined) handler(request, response);
    else answer(response, refusal);
  };

  const inTurn: InTurn = serveInTurn({
    maxWaiting: MAX_WAITING,
    begin,
    refuse: (_request, response) => answer(response, CROWDED),
  });

  /** Waits, but not for nobody. */
  async function linger(ms: number): Promise<void> {
    const until = Date.now() + ms;
    while (Date.now() < until && (await countConnections(servers)) > 0) await sleep(POLL_MS);
  }

  return {
    async listen(sockets) {
      const hosts: string[] = [];
      let port = 0;
      for (const socket of sockets) {
        const server = http.createServer(
          {
            requestTimeout: limits.requestMs,
            headersTimeout: limits.headersMs,
            keepAliveTimeout: 30_000,
            connectionsCheckingInterval: limits.checkMs,
            // The application answers for a missing Host, and a header that came twice must not pass for the first one.
            requireHostHeader: false,
            joinDuplicateHeaders: true,
          },
          inTurn.onRequest,
        );
        server.maxConnections = limits.maxConnections + SURPLUS;
        server.timeout = limits.stallMs;
        server.on('timeout', onIdle);
        server.on('connection', onConnection);
        server.on('clientError', onClientError);
        servers.push(server);
        const address = await listenOn(server, socket);
        hosts.push(address.address);
        port = address.port;
      }
      return { hosts, port };
    },
    async drain({ mode, requestsMs, isExcused, excusedMs }) {
      isDraining = true;
      const startedAt = Date.now();
      // http.Server.close() would cut idle connections at once and race with a request on its way (nodejs/node#60617).
      for (const server of servers) net.Server.prototype.close.call(server);
      for (const response of open.keys()) if (!response.headersSent) response.setHeader('Connection', 'close');
      await linger(Math.min(mode === 'replace' ? LINGER_MS : STOP_LINGER_MS, requestsMs));
      for (const server of servers) server.closeIdleConnections();
      while (open.size > 0) {
        const elapsedMs = Date.now() - startedAt;
        for (const [response, request] of open) {
          if (elapsedMs >= (isExcused(request) ? excusedMs : requestsMs)) giveUp(response);
        }
        await sleep(POLL_MS);
        if (Date.now() - startedAt > Math.max(requestsMs, excusedMs) + FLUSH_MS) break;
      }
      for (const server of servers) server.closeAllConnections();
    },
    get requests() {
      return open.size;
    },
  };
}

function listenOn(server: http.Server, { handle, host, port }: BoundSocket): Promise<net.AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(handle as net.Server, BACKLOG, () => {
      server.off('error', reject);
      const address = server.address();
      // libuv reports a busy port late; the kernel then gives a random one on all interfaces (never serve there).
      if (address === null || typeof address === 'string' || address.port !== port || address.address !== host) {
        server.close();
        reject(new Error(`The socket for ${host}:${port} turned out as ${JSON.stringify(address)}`));
        return;
      }
      resolve(address);
    });
  });
}

async function countConnections(servers: readonly http.Server[]): Promise<number> {
  const counts = servers.map(
    (server) => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count))),
  );
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

function giveUp(response: http.ServerResponse): void {
  if (response.writableEnded) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const message = 'The gateway is stopping; the request did not finish in time.';
  answer(response, { status: 503, code: 'NOT_READY', message, retryAfterS: 2 });
}

function answer(response: http.ServerResponse, refusal: RawAnswer): void {
  const { headers, body } = formatAnswer(refusal);
  response.writeHead(refusal.status, headers);
  response.end(body);
}

const CROWDED: RawAnswer = {
  status: 429,
  code: 'RATE_LIMITED',
  message: `More than ${MAX_WAITING} requests wait on this connection.`,
  retryAfterS: 1,
};

function explainSurplus({ maxConnections }: ServerLimits): RawAnswer {
  const message = `More than ${maxConnections} connections are open, the limit of gateway.maxConnections.`;
  return { status: 503, code: 'TOO_MANY_CONNECTIONS', message, retryAfterS: 5 };
}

function explainHeaders({ rawHeaders }: http.IncomingMessage): RawAnswer | undefined {
  if (rawHeaders.length <= 2 * MAX_HEADERS) return undefined;
  return { status: 431, code: 'INVALID_REQUEST', message: `The request has more than ${MAX_HEADERS} headers.` };
}
