import { readFileSync } from 'node:fs';
import type { Environment } from './env.ts';
import { isOpenToOthers } from './fs.ts';

/** A line that is no assignment. It holds nothing of the line itself, which may be a secret. */
export type EnvFileProblem = {
  /** Counted from 1. */
  line: number;
  cause: 'no-assignment' | 'bad-name' | 'open-quote' | 'text-after-quote' | 'zero-byte';
};

export type EnvFile = {
  values: Environment;
  problems: EnvFileProblem[];
};

/** Reads a file of environment variables as `parseEnvFile` does, and tells whether other users may open it too. Throws the system's error. */
export function readEnvFile(path: string): EnvFile & { isOpenToOthers: boolean } {
  return { ...parseEnvFile(readFileSync(path, 'utf8')), isOpenToOthers: isOpenToOthers(path) };
}

/**
 * Parses `NAME=value` lines. Blank lines and those that begin with `#` are passed over, `export ` in front is allowed, a value
 * may stand in quotes, and nothing is expanded: single quotes keep everything, double ones know `\n \r \t \" \\ \$`. Without
 * quotes a value ends before ` #`. An empty value counts as unset, as in the environment; the last one of a name counts.
 * Node's own parser passes over what it does not understand, and an operator would never learn that a line had no effect.
 */
export function parseEnvFile(text: string): EnvFile {
  const values = new Map<string, string>();
  const problems: EnvFileProblem[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const parsed = parseLine(line);
    if (typeof parsed === 'string') problems.push({ line: index + 1, cause: parsed });
    else if (parsed.value === '') values.delete(parsed.name);
    else values.set(parsed.name, parsed.value);
  }
  return { values: Object.fromEntries(values), problems };
}

function parseLine(line: string): { name: string; value: string } | EnvFileProblem['cause'] {
  // No process can be given one.
  if (line.includes('\0')) return 'zero-byte';
  const [, name, raw] = /^\s*(?:export\s+)?([^=]*?)\s*=(.*)$/.exec(line) ?? [];
  if (name === undefined || raw === undefined) return 'no-assignment';
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'bad-name';
  const text = raw.trim();
  const quote = text[0];
  if (quote !== '"' && quote !== "'") return { name, value: raw.replace(/\s+#.*$/, '').trim() };
  const [, quoted, after = ''] = (quote === '"' ? DOUBLE_QUOTED : SINGLE_QUOTED).exec(text) ?? [];
  if (quoted === undefined) return 'open-quote';
  if (!/^(\s+#.*)?$/.test(after)) return 'text-after-quote';
  return { name, value: quote === '"' ? resolveEscapes(quoted) : quoted };
}

const SINGLE_QUOTED = /^'([^']*)'(.*)$/;
const DOUBLE_QUOTED = /^"((?:[^"\\]|\\.)*)"(.*)$/;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };

/** A backslash before anything else stays, as in a path of Windows. */
function resolveEscapes(text: string): string {
  return text.replace(/\\(.)/g, (whole, character: string) => ESCAPES[character] ?? whole);
}
