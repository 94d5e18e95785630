import type { Environment } from '../lib/env.ts';
import { en, type Messages } from './messages/en.ts';

export type Language = 'en' | 'zh';

/** A message in the caller's language, its `{names}` filled in. */
export type Speak<Key extends string> = (key: Key, values?: Readonly<Record<string, string | number>>) => string;

/** Speaks to the person or program that called a command. */
export type Output = {
  language: Language;
  isTerminal: boolean;
  text: Speak<keyof Messages>;
  line(text?: string): void;
  /** A line with a sign in front, where signs can be seen. */
  headline(sign: string, text: string): void;
  json(document: Readonly<Record<string, unknown>>): void;
  error(text: string, hint?: string): void;
  /** A line on standard error that stops nothing. */
  warning(text: string): void;
};

/** Chinese when `LC_ALL`, `LC_MESSAGES` or `LANG`, the first one set, begins with `zh`; else English (POSIX order of precedence). */
export function detectLanguage(env: Environment): Language {
  const locale = env['LC_ALL'] ?? env['LC_MESSAGES'] ?? env['LANG'] ?? '';
  return locale.startsWith('zh') ? 'zh' : 'en';
}

/** Creates the output of a command on the process's own streams. */
export async function createOutput(language: Language): Promise<Output> {
  // Only what is spoken is loaded: the gateway keeps it for as long as it runs.
  const messages: Messages = language === 'zh' ? (await import('./messages/zh.ts')).zh : en;
  const isTerminal = process.stdout.isTTY === true;
  return {
    language,
    isTerminal,
    text: speakFrom(messages),
    line: (text = '') => void process.stdout.write(`${text}\n`),
    headline: (sign, text) => void process.stdout.write(isTerminal ? `${sign} ${text}\n` : `${text}\n`),
    json: (document) => void process.stdout.write(`${JSON.stringify(document)}\n`),
    error(text, hint) {
      const sign = process.stderr.isTTY === true ? '❌ ' : '';
      process.stderr.write(`${sign}${text}\n${hint === undefined ? '' : `${hint}\n`}`);
    },
    warning: (text) => void process.stderr.write(`${process.stderr.isTTY === true ? '⚠️  ' : ''}${text}\n`),
  };
}

/** Says what a catalogue of messages holds. */
export function speakFrom<Key extends string>(messages: Readonly<Record<Key, string>>): Speak<Key> {
  return (key, values = {}) =>
    messages[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
