import { isJsonObject } from '../core/json.ts';

/** What the emulator needs to know of a request's messages. */
export interface Conversation {
  readonly roles: readonly string[];
  readonly lastUserText: string;
  /** The text of the tool result the request ends with; null when it does not. */
  readonly toolResult: string | null;
  /** Characters of all texts together. */
  readonly length: number;
}

/** Reads an OpenAI or Anthropic message list; `system` is Anthropic's separate system prompt. */
export function readConversation(messages: readonly unknown[], system: unknown): Conversation {
  const roles: string[] = [];
  let lastUserText = '';
  let toolResult: string | null = null;
  let length = 0;
  if (system !== undefined) {
    roles.push('system');
    length += textOf(system).length;
  }
  for (const message of messages) {
    if (!isJsonObject(message)) continue;
    const role = String(message['role']);
    const text = textOf(message['content']);
    roles.push(role);
    length += text.length;
    toolResult = role === 'tool' ? text : toolResultOf(message['content']);
    if (role === 'user' && toolResult === null) lastUserText = text;
  }
  return { roles, lastUserText, toolResult, length };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}

function toolResultOf(content: unknown): string | null {
  if (!Array.isArray(content)) return null;
  const results = content.filter((part: unknown) => isJsonObject(part) && part['type'] === 'tool_result');
  if (results.length === 0) return null;
  return results.map((part: unknown) => (isJsonObject(part) ? textOf(part['content']) : '')).join('\n');
}
