import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { onTestFinished } from 'vitest';

/** Listens on a Unix socket until the test ends. */
export function listen(server: Server, path: string): Promise<Server> {
  onTestFinished(() => void server.close());
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

/** Listens on a free port until the test ends, and returns it. */
export function listenOnPort(server: Server | HttpServer): Promise<number> {
  onTestFinished(() => void server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnPort(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
