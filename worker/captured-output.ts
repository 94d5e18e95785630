import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import type { Logger } from '../lib/log.ts';

/** Characters of one line; what follows them is dropped. */
const MAX_LINE = 4_096;
/** How far back to look for a place to cut, so that a secret is not cut in two and then not known any more. */
const CUT_SEARCH = 512;
/** How long the end of an unfinished line may take to come. */
const FLUSH_MS = 200;

/**
 * Makes log lines of whatever any code of this process prints with `console` or to `process.stdout` and `process.stderr`, so
 * that all output goes through the one rotating and redacted writer (OBS-2). The field `source` names the stream; empty
 * lines are left out. A log that writes to a terminal must have been created before.
 */
export function captureOutput(log: Logger): void {
  capture(process.stdout, (line) => log.info({ source: 'stdout' }, line));
  capture(process.stderr, (line) => log.warn({ source: 'stderr' }, line));
}

type Say = (line: string) => void;

function capture(stream: NodeJS.WriteStream, say: Say): void {
  const original = stream.write.bind(stream);
  const decoder = new StringDecoder('utf8');
  let isSaying = false;
  const lines = createLineCollector((line) => {
    isSaying = true;
    try {
      say(line);
    } finally {
      isSaying = false;
    }
  });
  const write = (chunk: string | Uint8Array, second?: BufferEncoding | Callback, third?: Callback): boolean => {
    const encoding = typeof second === 'string' ? second : 'utf8';
    // What the log prints itself, such as a complaint of bunyan's, must not come back to it.
    if (isSaying) return original(chunk, encoding, third);
    lines.add(decoder.write(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk)));
    const done = typeof second === 'function' ? second : third;
    if (done !== undefined) process.nextTick(done);
    return true;
  };
  stream.write = write;
  process.once('exit', () => lines.flush());
}

type Callback = (error?: Error | null) => void;

/** Puts text together to lines. What stays unfinished is said after `FLUSH_MS`, or at `flush`. */
function createLineCollector(say: Say): { add(text: string): void; flush(): void } {
  let partial = '';
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const line = partial;
    partial = '';
    sayLine(line, say);
  };

  return {
    add(text) {
      const [first = '', ...others] = text.split('\n');
      // One character more than a line may have says that it must be cut.
      partial = (partial + first).slice(0, MAX_LINE + 1);
      for (const next of others) {
        flush();
        partial = next.slice(0, MAX_LINE + 1);
      }
      if (partial !== '' && timer === undefined) timer = setTimeout(flush, FLUSH_MS).unref();
    },
    flush,
  };
}

function sayLine(raw: string, say: Say): void {
  const line = stripVTControlCharacters(raw.length > MAX_LINE ? cut(raw) : raw).trimEnd();
  if (line !== '') say(line);
}

/** The last character that no token contains. */
const LAST_GAP = /[\s,;"'{}()[\]][^\s,;"'{}()[\]]*$/;

function cut(line: string): string {
  const head = line.slice(0, MAX_LINE - CUT_SEARCH);
  const rest = line.slice(MAX_LINE - CUT_SEARCH, MAX_LINE);
  return `${head}${rest.slice(0, rest.search(LAST_GAP) + 1)}…`;
}
