import autocannon from 'autocannon';
import { type Bench, informationRow, limitRow, median, quantile, type Row, ratioRow } from './result.ts';
import { startSteadyProber } from './steady-prober.ts';
import { startGateway, startPlain } from './target.ts';

const CONNECTIONS = 50;
const ROUNDS = 4;
const SECONDS = 4;
const QUICK = { rounds: 1, seconds: 2 };
const CHATS = 50;

/** Durable messages per second over 50 connections, in turns with the plain server, and what the worker's loop does meanwhile. */
export const messageBench: Bench = {
  name: 'message',
  async run({ isQuick }) {
    const { rounds, seconds } = isQuick ? QUICK : { rounds: ROUNDS, seconds: SECONDS };
    const plain = await startPlain('plain-echo.mjs');
    const gateway = await startGateway({ store: { durability: 'full' } });
    const [ours, theirs]: [Measurement[], Measurement[]] = [[], []];
    try {
      for (let round = 0; round <= rounds; round += 1) {
        const their = await measure({ url: plain.url, token: '', seconds });
        const our = await measure({ url: gateway.url, token: gateway.token, seconds });
        // The first round warms both up.
        if (round === 0) continue;
        theirs.push(their);
        ours.push(our);
      }
    } finally {
      await Promise.all([plain.stop(), gateway.stop()]);
    }
    return [throughputRow(ours, theirs), latencyRow(ours, theirs), loopRow(ours, theirs)];
  },
};

/** `p99Ms` is that of the messages, `probesMs` are the latencies of `/health` beside them. */
type Measurement = { perSecond: number; p99Ms: number; probesMs: number[] };

async function measure(target: { url: string; token: string; seconds: number }): Promise<Measurement> {
  const { url, token, seconds } = target;
  const prober = startSteadyProber(`${url}/health`);
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    // The load has a thread of its own, else the probes would wait for it and not for the server.
    workers: 1,
    requests: Array.from({ length: CHATS }, (_value, index) => ({
      method: 'POST' as const,
      path: '/api/message',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ channel: 'webchat', chat_id: `bench-${index}`, content: 'The weather will be fine.' }),
    })),
  });
  const probesMs = await prober.stop();
  if (result.errors + result.non2xx > 0)
    throw new Error(`${result.errors} errors and ${result.non2xx} bad answers from ${url}`);
  return { perSecond: result.requests.average, p99Ms: result.latency.p99, probesMs };
}

function throughputRow(ours: readonly Measurement[], theirs: readonly Measurement[]): Row {
  const rate = (list: readonly Measurement[]): string =>
    `${median(list.map(({ perSecond }) => perSecond)).toFixed(0)} req/s`;
  return ratioRow({
    what: `POST /api/message, on disk before the answer, ${CONNECTIONS} connections (bare Koa + koa-body that echoes)`,
    ours: rate(ours),
    baseline: rate(theirs),
    ratio: median(ours.map(({ perSecond }, index) => perSecond / (theirs[index]?.perSecond ?? Number.NaN))),
    goal: { atLeast: 0.4 },
  });
}

function latencyRow(ours: readonly Measurement[], theirs: readonly Measurement[]): Row {
  const p99 = (list: readonly Measurement[]): string => `${median(list.map(({ p99Ms }) => p99Ms)).toFixed(0)} ms`;
  return informationRow({ what: 'The same, latency p99', ours: p99(ours), baseline: p99(theirs) });
}

function loopRow(ours: readonly Measurement[], theirs: readonly Measurement[]): Row {
  const p99 = (list: readonly Measurement[]): number =>
    quantile(
      list.flatMap(({ probesMs }) => probesMs),
      0.99,
    );
  const [mine, baseline] = [p99(ours), p99(theirs)];
  const row = limitRow({
    what: 'Loop delay of the worker under that load, p99: GET /health every 5 ms beside it, minus the same on the bare Koa',
    value: mine - baseline,
    unit: 'ms',
    atMost: 20,
    baseline: `${baseline.toFixed(1)} ms`,
  });
  return { ...row, ours: `${mine.toFixed(1)} ms` };
}
