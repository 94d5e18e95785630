import { askHealth } from './ask-health.ts';

const EVERY_MS = 10_000;
const TIMEOUT_MS = 5_000;
const MISSES = 3;

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

/** Asks our own port the way a client comes in. Resolves with what is wrong, or undefined when this instance answered. */
export async function probe(options: ProbeOptions): Promise<string | undefined> {
  const { host, port, instanceId, timeoutMs = TIMEOUT_MS } = options;
  const { text, failure } = await askHealth({ host: reachable(host), port, timeoutMs });
  return failure ?? judge(text, instanceId);
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
