import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { eventually } from './eventually.ts';
import { type HttpOptions, openRequest } from './http.ts';

type StreamEvent = { type: string; id: string | undefined; data: Record<string, unknown>; at: number };

/** A client of server-sent events that remembers all it was told. */
export type EventStream = {
  status: number;
  contentType: string;
  events: readonly StreamEvent[];
  /** `retry` of the stream, in milliseconds. */
  retry(): number | undefined;
  /** The first event of a type, also one that came already, whose data fits. */
  find(type: string, fits?: (data: Record<string, unknown>) => boolean, timeoutMs?: number): Promise<StreamEvent>;
  /** Resolves when the server ends the stream or the connection breaks. */
  ended: Promise<'end' | 'broken'>;
  /** Hangs up. */
  close(): void;
};

/** Opens a stream; resolves with the answer's head. */
export function openEvents(url: string, options: HttpOptions = {}): Promise<EventStream> {
  const headers = { Accept: 'text/event-stream', ...options.headers };
  return new Promise((resolve, reject) => {
    const call = openRequest(url, { ...options, headers }, (response) => {
      resolve(readStream(response, () => call.destroy()));
    });
    call.on('error', reject);
  });
}

function readStream(response: IncomingMessage, close: () => void): EventStream {
  const events: StreamEvent[] = [];
  let retry: number | undefined;
  let text = '';
  const body = decode(response);
  body.setEncoding('utf8');
  body.on('data', (chunk: string) => {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = readFields(block);
      if (fields['retry'] !== undefined) retry = Number(fields['retry']);
      const event = toEvent(fields);
      if (event !== undefined) events.push(event);
    }
  });
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    events,
    retry: () => retry,
    find: (type, fits = () => true, timeoutMs = 10_000) =>
      eventually(
        `event ${type}, got ${events.map((event) => event.type).join(', ')}`,
        () => events.find((event) => event.type === type && fits(event.data)),
        timeoutMs,
      ),
    ended: new Promise((resolve) => {
      body.once('end', () => resolve('end'));
      body.once('error', () => resolve('broken'));
      response.once('error', () => resolve('broken'));
    }),
    close,
  };
}

function decode(response: IncomingMessage): Readable {
  return response.headers['content-encoding'] === 'gzip' ? response.pipe(createGunzip()) : response;
}

function toEvent(fields: Record<string, string>): StreamEvent | undefined {
  const { event: type, data, id } = fields;
  if (type === undefined || data === undefined) return undefined;
  return { type, id, data: JSON.parse(data), at: Date.now() };
}

function readFields(block: string): Record<string, string> {
  const lines = block.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
}
