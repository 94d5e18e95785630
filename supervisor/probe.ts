import { connect } from 'node:net';

const EVERY_MS = 10_000;
const TIMEOUT_MS = 5_000;
const MISSES = 3;
/** An answer of ours is far smaller; whatever is longer is not read to its end. */
const MAX_ANSWER = 16_384;

export type ProbeOptions = {
  host: string;
  port: number;
  instanceId: string;
  /** How often to look, in milliseconds; default 10 s. */
  everyMs?: number;
  timeoutMs?: number;
};

/** Calls `onUnreachable` when the port did not answer as this instance three times in a row; returns a function that ends it. */
export function watchPort(options: ProbeOptions, onUnreachable: (reason: string) => void): () => void {
  let misses = 0;
  let isAsking = false;
  const look = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    const failure = await probe(options);
    isAsking = false;
    misses = failure === undefined ? 0 : misses + 1;
    if (failure === undefined || misses < MISSES) return;
    misses = 0;
    onUnreachable(`the port did not answer ${MISSES} times in a row: ${failure}`);
  };
  const timer = setInterval(() => void look(), options.everyMs ?? EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Asks `GET /health` of our own port the way a client comes in. Resolves with what is wrong, or undefined when this instance
 * answered. By hand over a socket: an HTTP client would cost the supervisor more memory than all the rest of it.
 */
export function probe({ host, port, instanceId, timeoutMs = TIMEOUT_MS }: ProbeOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: reachable(host), port });
    const finish = (failure: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(failure);
    };
    const timer = setTimeout(() => finish(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'));
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.length > MAX_ANSWER) finish('something else listens there');
    });
    socket.on('error', (error) => finish(error.message));
    socket.on('close', () => finish(judge(answer, instanceId)));
  });
}

function judge(answer: string, instanceId: string): string | undefined {
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1];
  if (status === undefined) return 'the answer is no HTTP';
  if (status !== '200') return `it answered ${status}`;
  return answer.includes(`"instanceId":"${instanceId}"`) ? undefined : 'another program answered';
}

/** An address that stands for all interfaces is reached on loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
