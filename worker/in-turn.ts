import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export type InTurnOptions = {
  /** Requests of one connection that may wait. */
  maxWaiting: number;
  begin: RequestListener;
  /** Takes those beyond the limit. */
  refuse: RequestListener;
};

type Line = { isBusy: boolean; waiting: { request: IncomingMessage; response: ServerResponse }[] };

/**
 * Begins the requests of a connection one after the other, however many a client sends without waiting for answers (RFC 9112, 9.3.2):
 * all answers leave in that order anyway, and one that nobody reads keeps those behind it from being prepared.
 */
export function serveInTurn({ maxWaiting, begin, refuse }: InTurnOptions): RequestListener {
  const lines = new WeakMap<Socket, Line>();

  const onClose = function (this: ServerResponse): void {
    const { socket } = this.req;
    const line = lines.get(socket);
    if (line === undefined) return;
    line.isBusy = false;
    const next = line.waiting.shift();
    if (next !== undefined && !socket.destroyed) start(line, next.request, next.response);
  };

  function start(line: Line, request: IncomingMessage, response: ServerResponse): void {
    line.isBusy = true;
    response.on('close', onClose);
    begin(request, response);
  }

  return (request, response) => {
    let line = lines.get(request.socket);
    if (line === undefined) {
      line = { isBusy: false, waiting: [] };
      lines.set(request.socket, line);
    }
    if (!line.isBusy) start(line, request, response);
    else if (line.waiting.length < maxWaiting) line.waiting.push({ request, response });
    else refuse(request, response);
  };
}
