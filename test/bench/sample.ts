import http from 'node:http';
import type { Socket } from 'node:net';

/** One request as its client saw it. Times are `performance.now()`. */
export type Sample = {
  startedAt: number;
  endedAt: number;
  /** When its connection was begun: earlier than `startedAt` on one that had been kept. */
  openedAt: number;
  /** `ok` is a whole answer with status 200; `refused` means that nobody listened. */
  outcome: 'ok' | 'refused' | 'failed';
  /** What went wrong; empty when nothing did. */
  reason: string;
};

/** Where and how to ask: with the connections of an agent, or with a new one (`false`). Gives up after 10 s unless told. */
export type Question = { url: string; agent: http.Agent | false; timeoutMs?: number };

/** Sends one GET request. Never rejects. */
export function ask({ url, agent, timeoutMs = 10_000 }: Question): Promise<Sample> {
  const startedAt = performance.now();
  let openedAt = startedAt;
  return new Promise((resolve) => {
    const end = (outcome: Sample['outcome'], reason = ''): void =>
      resolve({ startedAt, endedAt: performance.now(), openedAt, outcome, reason });
    const fail = (error: NodeJS.ErrnoException): void => {
      const reason = error.code ?? error.message;
      end(reason === 'ECONNREFUSED' ? 'refused' : 'failed', reason);
    };
    const request = http.get(url, { agent, timeout: timeoutMs }, (response) => {
      response.on('error', fail);
      response.on('end', () =>
        response.statusCode === 200 ? end('ok') : end('failed', `status ${response.statusCode}`),
      );
      response.resume();
    });
    request.on('socket', (socket) => {
      openedAt = openingOf(socket);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', fail);
  });
}

const openings = new WeakMap<Socket, number>();

function openingOf(socket: Socket): number {
  const openedAt = openings.get(socket) ?? performance.now();
  openings.set(socket, openedAt);
  return openedAt;
}
