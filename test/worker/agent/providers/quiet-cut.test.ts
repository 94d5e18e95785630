import { createServer, type Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { createAnthropicProvider } from '../../../../worker/agent/providers/anthropic.ts';
import { createOpenAiProvider } from '../../../../worker/agent/providers/openai.ts';
import { ask, collect, failureOf, textOf } from './request.ts';

let server: Server | undefined;
afterEach(
  () => new Promise<void>((resolve) => void (server === undefined ? resolve() : server.close(() => resolve()))),
);

/** Answers every request with these stream events and a clean end, as a proxy does whose upstream died. */
async function answerWith(...events: readonly object[]): Promise<string> {
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  const started = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' }).end(body);
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  const address = started.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

const openai = (baseUrl: string) => createOpenAiProvider({ id: 'openai', baseUrl, requestTimeoutMs: 2_000 });
const anthropic = (baseUrl: string) => createAnthropicProvider({ id: 'anthropic', baseUrl, requestTimeoutMs: 2_000 });
const delta = (content: string) => ({ choices: [{ index: 0, delta: { content } }] });

it('takes a chat completion without a finish reason for cut', async () => {
  const error = await failureOf(collect(openai(await answerWith(delta('half an'))), ask('hi')));
  expect(error.kind).toBe('network');
});

it('takes a message without its end for cut', async () => {
  const message = {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'x',
    content: [],
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  const events = [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'half an' } },
  ];
  const error = await failureOf(collect(anthropic(await answerWith(...events)), ask('hi')));
  expect(error.kind).toBe('network');
});

it('takes an empty answer for cut', async () => {
  expect((await failureOf(collect(openai(await answerWith()), ask('hi')))).kind).toBe('network');
  server?.close();
  expect((await failureOf(collect(anthropic(await answerWith()), ask('hi')))).kind).toBe('network');
});

it.each([
  ['rate', { error: { message: 'slow down', type: 'rate_limit_error' } }],
  ['quota', { error: { message: 'no', code: 'insufficient_quota' } }],
  ['overload', { error: { message: 'Upstream is busy', code: 502 } }],
] as const)('reports an error inside the stream as "%s"', async (kind, event) => {
  const error = await failureOf(collect(openai(await answerWith(delta('a'), event)), ask('hi')));
  expect(error.kind).toBe(kind);
});

it('passes reasoning on apart from the text, and a length limit as such', async () => {
  const events = [
    { choices: [{ index: 0, delta: { reasoning_content: 'hmm' } }] },
    delta('yes'),
    { choices: [{ index: 0, delta: {}, finish_reason: 'length' }] },
  ];
  const got = await collect(openai(await answerWith(...events)), ask('hi'));
  expect(got[0]).toEqual({ type: 'reasoning', text: 'hmm' });
  expect(textOf(got)).toBe('yes');
  expect(got.at(-1)).toEqual({ type: 'done', reason: 'length' });
});
