import { type LlmEmulator, startLlmEmulator } from '../emulators/start.ts';
import { createClient } from './http.ts';
import { cpuMs, writtenBytes } from './proc.ts';
import { type Bench, limitRow, median, quantile, type Row, ratioRow } from './result.ts';
import { type Gateway, startGateway } from './target.ts';

const SEQUENTIAL = 300;
const WARM_UP = 100;
const SESSIONS = 20;
const CONCURRENT_MS = 5_000;

/** What the gateway adds to an agent turn: latency, CPU, bytes on disk; and how many turns it carries at once. */
export const turnBench: Bench = {
  name: 'turn',
  async run() {
    const llm = await startLlmEmulator();
    await llm.configure({ journal: false });
    const gateway = await startGateway({
      providers: { emulator: { baseUrl: `${llm.url}/v1`, apiKey: 'bench-key' } },
      agents: { defaults: { model: 'emulator/bench', historyLimit: 20 } },
    });
    try {
      return [
        await firstTurn(llm, gateway),
        ...(await sequentialTurns(llm, gateway)),
        ...(await concurrentTurns(llm, gateway)),
      ];
    } finally {
      await gateway.stop();
      await llm.stop();
    }
  },
};

type Ask = (session: string) => Promise<number>;

/** One turn through the gateway, in milliseconds. */
function asker({ url, token }: Gateway, client: ReturnType<typeof createClient>): Ask {
  return async (session) => {
    const { status, text, ms } = await client.call({
      url: `${url}/api/agent`,
      method: 'POST',
      body: { message: 'What is the weather?', session },
      headers: { Authorization: `Bearer ${token}` },
    });
    if (status !== 200) throw new Error(`The gateway answered ${status}: ${text}`);
    return ms;
  };
}

/** The same question straight to the model, streamed and read to the end. */
function directAsker({ url }: LlmEmulator, client: ReturnType<typeof createClient>): Ask {
  return async () => {
    const body = {
      model: 'bench',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'What is the weather?' }],
    };
    const { status, ms } = await client.call({
      url: `${url}/v1/chat/completions`,
      method: 'POST',
      body,
      headers: { Authorization: 'Bearer bench-key' },
    });
    if (status !== 200) throw new Error(`The model answered ${status}`);
    return ms;
  };
}

async function firstTurn(llm: LlmEmulator, gateway: Gateway): Promise<Row> {
  const client = createClient();
  const direct = await directAsker(llm, client)('');
  const ours = await asker(gateway, client)('first');
  client.close();
  return limitRow({
    what: 'First turn after start, over the model',
    value: ours - direct,
    unit: 'ms',
    atMost: 150,
    baseline: `${direct.toFixed(1)} ms direct`,
  });
}

async function sequentialTurns(llm: LlmEmulator, gateway: Gateway): Promise<Row[]> {
  const client = createClient();
  const [ask, askDirect] = [asker(gateway, client), directAsker(llm, client)];
  for (let index = 0; index < WARM_UP; index += 1) await ask('warm-up');
  const [ours, direct]: [number[], number[]] = [[], []];
  const before = usage(gateway);
  for (let index = 0; index < SEQUENTIAL; index += 1) {
    direct.push(await askDirect(''));
    ours.push(await ask('sequential'));
  }
  const after = usage(gateway);
  client.close();
  const baseline = `${median(direct).toFixed(2)} ms direct`;
  return [
    limitRow({
      what: 'Latency added to a turn, p50, one session',
      value: median(ours) - median(direct),
      unit: 'ms',
      atMost: 5,
      baseline,
      digits: 2,
    }),
    limitRow({
      what: 'Latency added to a turn, p99, one session',
      value: quantile(ours, 0.99) - quantile(direct, 0.99),
      unit: 'ms',
      atMost: 25,
      baseline: `${quantile(direct, 0.99).toFixed(2)} ms direct`,
      digits: 2,
    }),
    limitRow({
      what: 'CPU per turn, both processes',
      value: (after.cpu - before.cpu) / SEQUENTIAL,
      unit: 'ms',
      atMost: 8,
      digits: 2,
    }),
    limitRow({
      what: 'Written to disk per turn, database and log',
      value: (after.bytes - before.bytes) / SEQUENTIAL / 1_024,
      unit: 'KB',
      atMost: 20,
    }),
  ];
}

function usage(gateway: Gateway): { cpu: number; bytes: number } {
  const pids = [gateway.pid, gateway.workerPid()];
  return {
    cpu: pids.reduce((sum, pid) => sum + cpuMs(pid), 0),
    bytes: pids.reduce((sum, pid) => sum + writtenBytes(pid), 0),
  };
}

/** A model that answers after this long is still thirty times faster than a real one. */
const FAST_MODEL_MS = 10;

async function concurrentTurns(llm: LlmEmulator, gateway: Gateway): Promise<Row[]> {
  const client = createClient();
  const measure = async (firstDelayMs: number): Promise<{ ours: number; direct: number }> => {
    await llm.configure({ firstDelayMs });
    return { direct: await perSecond(directAsker(llm, client)), ours: await perSecond(asker(gateway, client)) };
  };
  const [atOnce, fast] = [await measure(0), await measure(FAST_MODEL_MS)];
  client.close();
  const row = ratioRow({
    what: `Turns per second, ${SESSIONS} sessions at once, model thinks ${FAST_MODEL_MS} ms (direct)`,
    ours: `${fast.ours.toFixed(0)} turns/s`,
    baseline: `${fast.direct.toFixed(0)} turns/s`,
    ratio: fast.ours / fast.direct,
    goal: { atLeast: 0.25 },
  });
  const limit = ratioRow({
    what: `The same with a model that takes no time at all (direct)`,
    ours: `${atOnce.ours.toFixed(0)} turns/s`,
    baseline: `${atOnce.direct.toFixed(0)} turns/s`,
    ratio: atOnce.ours / atOnce.direct,
    goal: { atLeast: 0 },
  });
  return [row, { ...limit, goal: 'for information' }];
}

async function perSecond(ask: Ask): Promise<number> {
  const startedAt = performance.now();
  let count = 0;
  const loop = async (session: string): Promise<void> => {
    while (performance.now() - startedAt < CONCURRENT_MS) {
      await ask(session);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: SESSIONS }, (_, index) => loop(`session-${index}`)));
  return count / ((performance.now() - startedAt) / 1_000);
}
