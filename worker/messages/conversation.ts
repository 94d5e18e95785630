import type { ChatMessage } from '../agent/providers/provider.ts';
import type { Message, NewMessage } from '../store/sessions.ts';

type Said = Pick<Message, 'role' | 'kind' | 'text' | 'sender' | 'files'>;

/** What the model reads in place of an error that a person was shown. */
const NOT_ANSWERED = '(This was not answered because of a failure.)';

/**
 * What the model reads: the conversation so far and the question. Neighbours of one side are joined, because some models take
 * only a strict alternation; who speaks is named where several do.
 */
export function composeConversation(
  messages: readonly Said[],
  asked: readonly NewMessage[],
): { history: ChatMessage[]; text: string } {
  const joined: ChatMessage[] = [];
  for (const message of [...messages, ...asked]) {
    const last = joined.at(-1);
    const text = composeText(message);
    if (last?.role === message.role) last.text += `\n\n${text}`;
    else joined.push({ role: message.role, text });
  }
  const question = joined.pop();
  return { history: joined, text: question?.text ?? '' };
}

/** A message with its sender before it and its files behind it; no line of it can pass for what another has said (INJ-3). */
function composeText({ kind, text, sender, files }: Said): string {
  if (kind === 'error') return NOT_ANSWERED;
  const whole = [text, files ?? ''].filter((part) => part !== '').join('\n');
  return sender === undefined ? whole : `${nameOf(sender)}: ${whole.replaceAll('\n', '\n  ')}`;
}

const NAME_LENGTH = 64;

function nameOf(sender: string): string {
  return sender
    .replace(/[\s\p{Cc}:]+/gu, ' ')
    .trim()
    .slice(0, NAME_LENGTH);
}
