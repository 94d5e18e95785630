import type { Conversation } from './conversation.ts';
import { type Directives, readDirectives } from './directives.ts';
import type { ActiveSettings } from './settings.ts';

/** The answer the emulator will give, before any wire format. */
export interface ReplyPlan {
  readonly deltas: readonly string[];
  readonly text: string;
  readonly tool: { readonly name: string; readonly json: string } | null;
  readonly firstDelayMs: number;
  readonly gapMs: number;
  /** Cut the connection after this many deltas; null never. */
  readonly cutAfter: number | null;
  /** Answer this HTTP error instead; null answers normally. */
  readonly errorStatus: number | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Decides the answer from the conversation, its directives and the settings; the same input gives the same answer. */
export function planReply(conversation: Conversation, settings: ActiveSettings): ReplyPlan {
  const directives = readDirectives(conversation.lastUserText);
  // Without this rule a tool directive would be obeyed again on every step of the tool loop.
  const tool = conversation.toolResult === null ? (directives.tool ?? null) : null;
  const text = tool === null ? replyText(conversation, directives) : '';
  return {
    text,
    deltas: splitText(text, directives.chunks ?? settings.chunks),
    tool,
    firstDelayMs: directives.delayMs ?? settings.firstDelayMs,
    gapMs: directives.gapMs ?? settings.gapMs,
    cutAfter: directives.cut ?? null,
    errorStatus: directives.status ?? null,
    promptTokens: countTokens(conversation.length),
    completionTokens: countTokens(tool === null ? text.length : tool.json.length),
  };
}

function replyText(conversation: Conversation, directives: Directives): string {
  if (conversation.toolResult !== null) return `tool: ${conversation.toolResult}`;
  if (directives.say !== undefined) return directives.say;
  if (directives.long !== undefined) return numberedWords(directives.long);
  if (directives.history) return `history: ${conversation.roles.join(',')}`;
  return `echo: ${directives.text}`;
}

function numberedWords(length: number): string {
  let text = '';
  for (let word = 1; text.length < length; word += 1) text += word === 1 ? 'word1' : ` word${word}`;
  return text.slice(0, length);
}

function splitText(text: string, count: number): string[] {
  const points = Array.from(text);
  const parts = Math.max(1, Math.min(count, points.length));
  if (parts === 1) return [text];
  return Array.from({ length: parts }, (_unused, index) =>
    points
      .slice(Math.floor((index * points.length) / parts), Math.floor(((index + 1) * points.length) / parts))
      .join(''),
  );
}

function countTokens(characters: number): number {
  return Math.max(1, Math.ceil(characters / 4));
}
