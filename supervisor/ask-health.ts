import { connect } from 'node:net';

/** What came back: all that was received, and why that is not a whole answer. */
export type HealthAnswer = { text: string; failure: string | undefined };

/** An answer of ours is far smaller; whatever is longer is not read to its end. */
const MAX_ANSWER = 16_384;

/**
 * Asks `GET /health` of a port, whoever listens there. Never rejects. By hand over a socket: an HTTP client would cost the
 * supervisor more memory than all the rest of it.
 */
export function askHealth(address: { host: string; port: number; timeoutMs: number }): Promise<HealthAnswer> {
  const { host, port, timeoutMs } = address;
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host, port });
    const finish = (failure?: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, failure });
    };
    const timer = setTimeout(() => finish(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.setEncoding('utf8');
    // Version 1.0: the answer comes in one piece, and the server hangs up.
    socket.on('connect', () => socket.write('GET /health HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n'));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER) finish('something else listens there');
    });
    socket.on('error', (error) => finish(error.message));
    socket.on('close', () => finish());
  });
}
