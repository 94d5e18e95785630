import type { Environment } from '../lib/env.ts';
import { en, type Messages } from './messages/en.ts';
import { zh } from './messages/zh.ts';

export type Language = 'en' | 'zh';

/** Speaks to the person or program that called a command. */
export type Output = {
  isTerminal: boolean;
  /** A message in the caller's language, its `{names}` filled in. */
  text(key: keyof Messages, values?: Readonly<Record<string, string | number>>): string;
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
export function createOutput(language: Language): Output {
  const messages: Messages = language === 'zh' ? zh : en;
  const isTerminal = process.stdout.isTTY === true;
  return {
    isTerminal,
    text: (key, values = {}) =>
      messages[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)),
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
