import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { openWorkerChannel } from '../lib/ipc.ts';
import { SECURITY_HEADERS } from '../lib/security-headers.ts';
import { VERSION } from '../lib/version.ts';

/**
 * A program of its own: answers 503 on the gateway's sockets while no worker can serve, so that clients are told to come back
 * instead of waiting in the backlog (SPEC 3.5). Started by the supervisor only, and gone with it.
 */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const)
  process.on(signal, () => undefined);
process.once('disconnect', () => process.exit(70));
process.title = 'xopc-responder';

const RETRY_AFTER_S = 2;
const BACKLOG = 4_096;
/** What the last answers may take to leave. */
const FLUSH_MS = 500;

const channel = openWorkerChannel(process);
const servers: ReturnType<typeof createServer>[] = [];

channel.onMessage((message, handle) => {
  if (message.t === 'listener.take') listen(handle);
  if (message.t === 'worker.drain') drain();
});
channel.send({ t: 'worker.hello', pid: process.pid, version: VERSION });

function listen(handle: unknown): void {
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, answer);
  // A socket that cannot be listened on leaves its clients where they are: in the backlog.
  server.on('error', () => undefined);
  server.listen(handle as never, BACKLOG);
  servers.push(server);
}

function answer(_request: IncomingMessage, response: ServerResponse): void {
  const message = 'The gateway is starting again after a failure. Try again in a moment.';
  const body = JSON.stringify({ status: 'unavailable', error: { code: 'NOT_READY', message } });
  response.writeHead(503, {
    ...SECURITY_HEADERS,
    'Content-Type': 'application/json; charset=utf-8',
    'Retry-After': String(RETRY_AFTER_S),
    Connection: 'close',
  });
  response.end(body);
}

/** Every answer closes its connection, so there is nothing to wait for but those on their way. */
function drain(): void {
  let open = servers.length;
  const leave = (): void => process.exit(0);
  if (open === 0) leave();
  for (const server of servers) {
    server.close(() => {
      open -= 1;
      if (open === 0) leave();
    });
  }
  setTimeout(leave, FLUSH_MS);
}
