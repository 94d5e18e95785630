import { offlineTexts } from './offline-texts.ts';
import type { ModelEvent, ModelRequest, Provider } from './provider.ts';

/** The built-in `offline/assistant`: answers without any model, so that a fresh installation works from end to end. */
export function createOfflineProvider(): Provider {
  return {
    id: 'offline',
    models: async () => ['assistant'],
    stream: answer,
  } satisfies Provider;
}

async function* answer(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
  const asked = request.messages.findLast((message) => message.role === 'user')?.text ?? '';
  const pieces = composeAnswer(asked);
  for (const text of pieces) {
    signal.throwIfAborted();
    yield { type: 'text', text };
  }
  yield { type: 'usage', usage: { inputTokens: 0, outputTokens: 0 } };
  yield { type: 'done', reason: 'stop' };
}

/** The answer in the pieces it is streamed in. */
function composeAnswer(asked: string): string[] {
  const texts = CJK.test(asked) ? offlineTexts.zh : offlineTexts.en;
  const question = asked
    .trim()
    .toLowerCase()
    .replace(/[?？!！.。\s]+$/, '');
  if (HELP.test(question)) return [texts.help, `\n\n${texts.howTo}`, `\n${EXAMPLE}`];
  if (STATUS.test(question)) return [texts.status, ` ${texts.noModel}`];
  return [texts.received(quote(asked)), `\n\n${texts.noModel}`, ` ${texts.howTo}`, `\n${EXAMPLE}`];
}

const CJK = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const HELP = /^(\/?help|\/start|what can you do|who are you|帮助|\/帮助|你能做什么|你会什么|你是谁)$/;
const STATUS = /^(\/?status|\/?ping|are you (there|online|alive|up)|状态|在吗|在线吗|你在吗)$/;

const EXAMPLE = '{ "providers": { "openai": "sk-…" }, "agents": { "defaults": { "model": "openai/gpt-4o-mini" } } }';

/** One line of at most 200 characters; a cut never splits a character. */
function quote(text: string): string {
  const characters = [...text.replace(/\s+/g, ' ').trim()];
  return characters.length <= MAX_QUOTE ? characters.join('') : `${characters.slice(0, MAX_QUOTE).join('')}…`;
}

const MAX_QUOTE = 200;
