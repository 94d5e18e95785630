import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request whose body has been read completely. */
export interface IncomingCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly res: ServerResponse;
}

/** Serves on 127.0.0.1 and resolves with the base URL; port 0 lets the system choose. */
export function listen(port: number, handle: (call: IncomingCall) => Promise<void> | void): Promise<string> {
  const server = createServer((req, res) => {
    readCall(req, res)
      .then(handle)
      .catch((error: unknown) => failCall(res, error));
  });
  // A server that closes idle connections races with the client's next request and would look like an injected fault.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${portOf(server.address())}`));
  });
}

async function readCall(req: IncomingMessage, res: ServerResponse): Promise<IncomingCall> {
  const target = req.url ?? '/';
  const mark = target.indexOf('?');
  return {
    method: req.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    headers: req.headers,
    body: await readBody(req),
    res,
  };
}

function readBody(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => resolve(Buffer.concat(parts)));
    req.on('error', reject);
  });
}

function failCall(res: ServerResponse, error: unknown): void {
  // The client went away while sending: nobody is left to answer.
  if (res.destroyed) return;
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`emulator bug: ${message}\n`);
  if (!res.headersSent) res.writeHead(500, { 'content-type': 'text/plain' });
  res.end(`emulator bug: ${message}`);
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
