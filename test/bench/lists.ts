import { formatSessionKey } from '../../worker/sessions/key.ts';
import { appendMessages, type NewMessage } from '../../worker/store/sessions.ts';
import { createClient } from './http.ts';
import { type Bench, informationRow, median, type Row, ratioRow } from './result.ts';
import { seedDatabase } from './seed.ts';
import { type Gateway, startGateway } from './target.ts';

/** Both have enough for whole pages, so that the answers are of the same size. */
type Extent = { sessions: number; messagesEach: number };

const FEW: Extent = { sessions: 50, messagesEach: 20 };
const MANY: Extent = { sessions: 1_000, messagesEach: 1_000 };
const QUICK_MANY: Extent = { sessions: 1_000, messagesEach: 50 };
const CALLS = 200;
const WARM_UP = 50;

/** What lists cost when there is much to choose from: the same pages with a thousand stored messages and with a million. */
export const listsBench: Bench = {
  name: 'lists',
  async run({ isQuick }) {
    const many = isQuick ? QUICK_MANY : MANY;
    const [small, large] = [await startFilled(FEW), await startFilled(many)];
    const what = `${count(many)} stored messages (${count(FEW)})`;
    try {
      return [
        await compare({ what: `GET /api/sessions?limit=50, p50, ${what}`, small, large, path: () => LIST }),
        await compare({ what: `GET /api/sessions/:key?limit=20, p50, ${what}`, small, large, path: newestPage }),
        informationRow({
          what: `Start to the first answer with ${what}`,
          ours: `${large.gateway.startMs.toFixed(0)} ms`,
          baseline: `${small.gateway.startMs.toFixed(0)} ms`,
        }),
      ];
    } finally {
      await Promise.all([small.gateway.stop(), large.gateway.stop()]);
    }
  },
};

const LIST = '/api/sessions?limit=50';

type Filled = { gateway: Gateway; extent: Extent };

async function startFilled(extent: Extent): Promise<Filled> {
  const gateway = await startGateway({}, (home) =>
    seedDatabase(home, async (database) => {
      for (let index = 0; index < extent.sessions; index += 1) {
        await database.write((tx) => appendMessages(tx, keyOf(index), conversation(extent.messagesEach)));
      }
    }),
  );
  return { gateway, extent };
}

function keyOf(index: number): string {
  const peerId = `chat-${index}`;
  return formatSessionKey({ agentId: 'main', channel: 'webchat', accountId: 'default', peerKind: 'direct', peerId });
}

function conversation(length: number): NewMessage[] {
  return Array.from({ length }, (_value, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    kind: 'text',
    text: `${index}: the weather will be fine, with some clouds in the afternoon and a light wind from the west.`,
  }));
}

function count({ sessions, messagesEach }: Extent): string {
  return (sessions * messagesEach).toLocaleString('en');
}

/** Each call another session. */
function newestPage(extent: Extent, call: number): string {
  return `/api/sessions/${encodeURIComponent(keyOf((call * 7) % extent.sessions))}?limit=20`;
}

type Comparison = { what: string; small: Filled; large: Filled; path(extent: Extent, call: number): string };

async function compare({ what, small, large, path }: Comparison): Promise<Row> {
  const client = createClient();
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let call = 0; call < WARM_UP + CALLS; call += 1) {
    for (const [{ gateway, extent }, times] of [[small, theirs] as const, [large, ours] as const]) {
      const headers = { Authorization: `Bearer ${gateway.token}` };
      const { status, text, ms } = await client.call({ url: `${gateway.url}${path(extent, call)}`, headers });
      if (status !== 200) throw new Error(`The gateway answered ${status}: ${text}`);
      if (call >= WARM_UP) times.push(ms);
    }
  }
  client.close();
  return ratioRow({
    what,
    ours: `${median(ours).toFixed(2)} ms`,
    baseline: `${median(theirs).toFixed(2)} ms`,
    ratio: median(ours) / median(theirs),
    goal: { atMost: 1.5 },
  });
}
