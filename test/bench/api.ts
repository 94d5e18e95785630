import autocannon from 'autocannon';
import { formatSessionKey } from '../../worker/sessions/key.ts';
import { appendMessages } from '../../worker/store/sessions.ts';
import { createClient } from './http.ts';
import { cpuMs } from './proc.ts';
import { type Bench, informationRow, limitRow, median, quantile, type Row, ratioRow } from './result.ts';
import { seedDatabase } from './seed.ts';
import { type Gateway, startGateway, startPlain, type Target } from './target.ts';

const SESSIONS = 10_000;
const CALLS = 500;
const PAGE = '/api/sessions?limit=50';

/** What an answer of the API costs beyond what Koa takes: with the credential, without it, and in a list of ten thousand sessions. */
export const apiBench: Bench = {
  name: 'api',
  async run({ isQuick }) {
    const plain = await startPlain('plain-json.mjs');
    const gateway = await startFilled(isQuick ? SESSIONS / 10 : SESSIONS);
    try {
      const token = `Bearer ${gateway.token}`;
      const compared = { plain, gateway, rounds: isQuick ? 1 : 4, seconds: isQuick ? 1 : 3 };
      return [
        toRow(await compare(compared, { path: '/api/channels', authorization: token, status: 200 }), 0.6),
        toRow(await compare(compared, { path: '/api/channels', authorization: undefined, status: 401 }), 0.6),
        // It asks the database.
        toRow(await compare(compared, { path: '/api/sessions?limit=1', authorization: token, status: 200 })),
        ...(await timeList(gateway)),
      ];
    } finally {
      await Promise.all([plain.stop(), gateway.stop()]);
    }
  },
};

function startFilled(sessions: number): Promise<Gateway> {
  return startGateway({}, (home) =>
    seedDatabase(home, (database) =>
      database.write((tx) => {
        for (let index = 0; index < sessions; index += 1)
          appendMessages(tx, keyOf(index), [{ role: 'user', kind: 'text', text: `question ${index}` }]);
      }),
    ),
  );
}

function keyOf(index: number): string {
  const peerId = `chat-${index}`;
  return formatSessionKey({ agentId: 'main', channel: 'webchat', accountId: 'default', peerKind: 'direct', peerId });
}

type Compared = { plain: Target; gateway: Gateway; rounds: number; seconds: number };
type Question = { path: string; authorization: string | undefined; status: number };
type Cost = { perSecond: number; cpuUs: number };
type Comparison = { what: string; ours: string; baseline: string; ratio: number };

function toRow(comparison: Comparison, atLeast?: number): Row {
  if (atLeast !== undefined) return ratioRow({ ...comparison, goal: { atLeast } });
  const { what, ours, baseline, ratio } = comparison;
  return informationRow({ what, ours, baseline, result: `× ${ratio.toFixed(2)}` });
}

/** By CPU time for a request, which neighbours on the machine disturb least; in turns, so that both see the same machine. */
async function compare({ plain, gateway, rounds, seconds }: Compared, question: Question): Promise<Comparison> {
  const { path, status } = question;
  const headers: Record<string, string> =
    question.authorization === undefined ? {} : { Authorization: question.authorization };
  const bytes = await sizeOf(`${gateway.url}${path}`, headers);
  const theirs = { url: `${plain.url}/json/${bytes}`, pid: plain.pid, headers: {}, status: 200, seconds };
  const ours = { url: `${gateway.url}${path}`, pid: gateway.workerPid(), headers, status, seconds };
  const costs: { their: Cost; our: Cost }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const [their, our] = [await measure(theirs), await measure(ours)];
    // The first round warms both up.
    if (round > 0) costs.push({ their, our });
  }
  const show = (list: readonly Cost[]): string =>
    `${median(list.map(({ perSecond }) => perSecond)).toFixed(0)} req/s, ${median(list.map(({ cpuUs }) => cpuUs)).toFixed(0)} µs CPU`;
  return {
    what: `GET ${path}, ${status}, ${bytes} bytes, 50 connections (bare Koa + router, by CPU time)`,
    ours: show(costs.map(({ our }) => our)),
    baseline: show(costs.map(({ their }) => their)),
    ratio: median(costs.map(({ their, our }) => their.cpuUs / our.cpuUs)),
  };
}

async function sizeOf(url: string, headers: Record<string, string>): Promise<number> {
  const client = createClient({ isFresh: true });
  const { text } = await client.call({ url, headers });
  client.close();
  return Buffer.byteLength(text);
}

type Subject = { url: string; pid: number; headers: Record<string, string>; status: number; seconds: number };

async function measure({ url, pid, headers, status, seconds }: Subject): Promise<Cost> {
  const before = cpuMs(pid);
  const result = await autocannon({ url, headers, connections: 50, duration: seconds });
  const answered = status === 200 ? result['2xx'] : result['4xx'];
  if (result.errors > 0 || answered !== result['2xx'] + result.non2xx)
    throw new Error(`${result.errors} errors and ${result.non2xx} other answers than ${status} from ${url}`);
  return { perSecond: result.requests.average, cpuUs: ((cpuMs(pid) - before) * 1_000) / answered };
}

async function timeList(gateway: Gateway): Promise<Row[]> {
  const client = createClient();
  const headers = { Authorization: `Bearer ${gateway.token}` };
  const times: number[] = [];
  for (let call = 0; call < CALLS; call += 1) {
    const { status, text, ms } = await client.call({ url: `${gateway.url}${PAGE}`, headers });
    if (status !== 200) throw new Error(`The gateway answered ${status}: ${text}`);
    if (call >= CALLS / 10) times.push(ms);
  }
  client.close();
  const what = `GET ${PAGE} of ${SESSIONS.toLocaleString('en')} sessions`;
  return [
    limitRow({ what: `${what}, p50`, value: median(times), unit: 'ms', atMost: 5 }),
    informationRow({ what: `${what}, p99`, ours: `${quantile(times, 0.99).toFixed(1)} ms` }),
  ];
}
