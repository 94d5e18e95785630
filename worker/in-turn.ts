import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export type InTurnOptions = {
  /** Requests of one connection that may wait. */
  maxWaiting: number;
  begin: RequestListener;
  /** Takes those beyond the limit. */
  refuse: RequestListener;
};

export type InTurn = {
  onRequest: RequestListener;
  /** To be told when the answer to a request that was begun is closed. */
  onClosed(socket: Socket): void;
};

type Line = { isBusy: boolean; waiting: { request: IncomingMessage; response: ServerResponse }[] };

/**
 * Begins the requests of a connection one after the other, however many a client sends without waiting for answers (RFC 9112, 9.3.2):
 * all answers leave in that order anyway, and one that nobody reads keeps those behind it from being prepared.
 */
export function serveInTurn({ maxWaiting, begin, refuse }: InTurnOptions): InTurn {
  const lines = new WeakMap<Socket, Line>();
  return {
    onRequest(request, response) {
      let line = lines.get(request.socket);
      if (line === undefined) {
        line = { isBusy: false, waiting: [] };
        lines.set(request.socket, line);
      }
      if (line.isBusy) {
        if (line.waiting.length < maxWaiting) line.waiting.push({ request, response });
        else refuse(request, response);
        return;
      }
      line.isBusy = true;
      begin(request, response);
    },
    onClosed(socket) {
      const line = lines.get(socket);
      if (line === undefined) return;
      const next = socket.destroyed ? undefined : line.waiting.shift();
      line.isBusy = next !== undefined;
      if (next !== undefined) begin(next.request, next.response);
    },
  };
}
