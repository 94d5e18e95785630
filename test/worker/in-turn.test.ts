import { createServer, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { serveInTurn } from '../../worker/in-turn.ts';

/** A server that begins and ends requests when it is told. */
async function serve(maxWaiting: number) {
  const begun: string[] = [];
  const finish: (() => void)[] = [];
  const begin: RequestListener = (request, response) => {
    begun.push(request.url ?? '');
    finish.push(() => response.end(`[${request.url}]`));
    response.on('close', () => inTurn.onClosed(request.socket));
  };
  const refuse: RequestListener = (request, response) => response.end(`[no ${request.url}]`);
  const inTurn = serveInTurn({ maxWaiting, begin, refuse });
  const server = createServer(inTurn.onRequest).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { begun, finish, open: () => connect(port, '127.0.0.1') };
}

const asking = (...paths: string[]): string =>
  paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join('');

/** The bodies of what comes back, so far. */
function listen(client: Socket): () => string[] {
  let received = '';
  client.on('data', (chunk) => {
    received += String(chunk);
  });
  onTestFinished(() => void client.destroy());
  return () => received.match(/\[.*?\]/g) ?? [];
}

it('requests that are sent in one go are begun and answered one after the other', async () => {
  const { begun, finish, open } = await serve(10);
  const client = open();
  const answers = listen(client);
  client.write(asking('/1', '/2', '/3'));
  for (const count of [1, 2, 3]) {
    await vi.waitFor(() => expect(begun).toHaveLength(count));
    finish.shift()?.();
  }
  await vi.waitFor(() => expect(answers()).toEqual(['[/1]', '[/2]', '[/3]']));
});

it('those that are too many are refused, in their place', async () => {
  const { begun, finish, open } = await serve(1);
  const client = open();
  const answers = listen(client);
  client.write(asking('/1', '/2', '/3'));
  await vi.waitFor(() => expect(begun).toEqual(['/1']));
  finish.shift()?.();
  await vi.waitFor(() => expect(begun).toEqual(['/1', '/2']));
  finish.shift()?.();
  await vi.waitFor(() => expect(answers()).toEqual(['[/1]', '[/2]', '[no /3]']));
});

it('nothing is begun any more for a client that has left, and others do not wait for it', async () => {
  const { begun, finish, open } = await serve(10);
  const left = open();
  left.write(asking('/left/1', '/left/2'));
  await vi.waitFor(() => expect(begun).toEqual(['/left/1']));
  const other = open();
  const answers = listen(other);
  other.write(asking('/other'));
  await vi.waitFor(() => expect(begun).toEqual(['/left/1', '/other']));
  left.destroy();
  finish.pop()?.();
  await vi.waitFor(() => expect(answers()).toEqual(['[/other]']));
  expect(begun).toEqual(['/left/1', '/other']);
});
