import { PassThrough } from 'node:stream';
import type { Context } from '../middleware/state.ts';

export type EventStream = {
  /** Sends one event; its data is JSON. */
  send(event: { type: string; data: unknown; id?: string }): void;
  /** Sends one event that has neither type nor id; its data is a line of text. */
  sendText(line: string): void;
  /** Tells the client when to come back, and ends. */
  end(retryMs?: number): void;
  /** Aborts when the client is gone or the stream has ended. */
  readonly closed: AbortSignal;
};

const HEARTBEAT_MS = 15_000;

/** A reader that is this far behind is cut off; it comes back and is told that it missed something. */
const MAX_BUFFER_BYTES = 1024 * 1024;

/** Proxies and some clients hold small first answers back; this passes their threshold. */
const PADDING = `: ${' '.repeat(2_048)}\n\n`;

/** Answers a request with server-sent events (WHATWG HTML, section 9.2) that pass proxies unbuffered. */
export function openEventStream(ctx: Context): EventStream {
  const stream = new PassThrough();
  const closed = new AbortController();
  ctx.status = 200;
  ctx.set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
  });
  ctx.body = stream;
  const heartbeat = setInterval(() => stream.write(': \n\n'), HEARTBEAT_MS);
  stream.on('close', () => {
    clearInterval(heartbeat);
    closed.abort();
  });
  stream.on('error', () => stream.destroy());
  stream.write(PADDING);

  function write(event: string): void {
    if (stream.destroyed || stream.writableEnded) return;
    stream.write(event);
    if (stream.writableLength + stream.readableLength > MAX_BUFFER_BYTES) stream.destroy();
  }

  return {
    send({ type, data, id }) {
      const head = id === undefined ? '' : `id: ${id}\n`;
      write(`${head}event: ${type}\ndata: ${ctx.state.redact(JSON.stringify(data))}\n\n`);
    },
    sendText(line) {
      write(`data: ${ctx.state.redact(line)}\n\n`);
    },
    end(retryMs) {
      if (stream.destroyed || stream.writableEnded) return;
      stream.end(retryMs === undefined ? '' : `retry: ${retryMs}\n\n`);
    },
    closed: closed.signal,
  };
}
