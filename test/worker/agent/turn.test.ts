import { describe, expect, it } from 'vitest';
import { type Provider, ProviderError, type ProviderErrorKind } from '../../../worker/agent/providers/provider.ts';
import { runTurn, TurnFailed, type TurnOutcome, type TurnRequest } from '../../../worker/agent/turn.ts';
import { createRecordingLog } from '../recording-log.ts';
import { createScriptedProvider, endless, type ScriptedProvider } from '../scripted-provider.ts';

type Run = { outcome: Promise<TurnOutcome>; shown: string[]; thought: string[] };

function start(providers: readonly ScriptedProvider[], more: Partial<TurnRequest> = {}): Run {
  const shown: string[] = [];
  const thought: string[] = [];
  const request: TurnRequest = {
    profile: {
      agentId: 'main',
      models: [],
      systemPrompt: 'Be kind.',
      maxTokens: 100,
      temperature: 0.5,
      historyLimit: 5,
    },
    models: providers.map(({ id }) => `${id}/model`),
    sessionKey: 'session',
    history: [{ role: 'assistant', text: 'Earlier.' }],
    text: 'Now?',
    timeoutMs: 5_000,
    signal: new AbortController().signal,
    onText: (text) => shown.push(text),
    onReasoning: (text) => thought.push(text),
    ...more,
  };
  const byId = new Map<string, Provider>(providers.map((provider) => [provider.id, provider]));
  return { outcome: runTurn(request, byId, createRecordingLog().log), shown, thought };
}

describe('a turn', () => {
  it('sends prompt, history and question to the model and returns its answer as it came', async () => {
    const provider = createScriptedProvider('p', async function* () {
      yield { type: 'reasoning', text: 'Hm.' };
      yield { type: 'text', text: 'Yes' };
      yield { type: 'text', text: '.' };
      yield { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } };
      yield { type: 'done', reason: 'stop' };
    });
    const { outcome, shown, thought } = start([provider]);
    expect(await outcome).toEqual({
      text: 'Yes.',
      model: 'p/model',
      isAborted: false,
      usage: { inputTokens: 1, outputTokens: 2 },
    });
    expect([shown, thought]).toEqual([['Yes', '.'], ['Hm.']]);
    expect(provider.requests).toEqual([
      {
        model: 'model',
        sessionKey: 'session',
        maxTokens: 100,
        temperature: 0.5,
        messages: [
          { role: 'system', text: 'Be kind.' },
          { role: 'assistant', text: 'Earlier.' },
          { role: 'user', text: 'Now?' },
        ],
      },
    ]);
  });

  it('goes to the next model while nothing was shown: after an error, an empty answer or an unknown provider', async () => {
    const broken = createScriptedProvider('broken', new ProviderError('overload', 'busy'));
    const silent = createScriptedProvider('silent', async function* () {
      yield { type: 'done', reason: 'stop' };
    });
    const good = createScriptedProvider('good', 'Here.');
    const models = ['broken/m', 'silent/m', 'missing/m', 'nonsense', 'good/m'];
    expect(await start([broken, silent, good], { models }).outcome).toMatchObject({ text: 'Here.', model: 'good/m' });
  });

  it('that is aborted returns what was shown and tries nothing else', async () => {
    const controller = new AbortController();
    const second = createScriptedProvider('second');
    const { outcome, shown } = start([createScriptedProvider('first', endless('Half')), second], {
      signal: controller.signal,
    });
    await expect.poll(() => shown).toEqual(['Half']);
    controller.abort();
    expect(await outcome).toEqual({ text: 'Half', model: 'first/model', isAborted: true });
    expect(second.requests).toEqual([]);
  });

  it('that was aborted before it began ends at once', async () => {
    const { outcome } = start([createScriptedProvider('p', endless())], { signal: AbortSignal.abort() });
    expect(await outcome).toMatchObject({ text: '', isAborted: true });
  });

  it('that takes too long fails as such and tries nothing else', async () => {
    const second = createScriptedProvider('second');
    const { outcome } = start([createScriptedProvider('first', endless()), second], { timeoutMs: 30 });
    await expect(outcome).rejects.toMatchObject({ name: 'TurnFailed', isTimeout: true });
    expect(second.requests).toEqual([]);
  });

  it.each<[ProviderErrorKind, RegExp]>([
    ['auth', /refused the credential: why/],
    ['quota', /quota is used up: why/],
    ['rate', /overloaded/],
    ['overload', /overloaded/],
    ['context', /too long/],
    ['timeout', /in time/],
    ['network', /cannot be reached/],
    ['invalid', /cannot answer: why/],
  ])('whose only model fails with %s tells the user in words, with the cause for the operator', async (kind, words) => {
    const cause = new ProviderError(kind, 'why');
    const error = await start([createScriptedProvider('p', cause)]).outcome.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TurnFailed);
    expect(error).toMatchObject({ message: expect.stringMatching(words), cause, isTimeout: kind === 'timeout' });
  });

  it('tells of the last model that failed', async () => {
    const providers = [
      createScriptedProvider('a', new ProviderError('auth', 'first')),
      createScriptedProvider('b', new Error('second')),
    ];
    await expect(start(providers).outcome).rejects.toThrow('The agent failed: second');
  });
});
