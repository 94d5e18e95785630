import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import type { Environment } from '../env.ts';
import type { FieldProblem } from '../errors.ts';
import { readTextIfExists } from '../fs.ts';

export type ConfigSource = {
  exists: boolean;
  /** The file's content with `${VAR}` expanded; an empty object when it does not exist or does not parse. */
  value: Record<string, unknown>;
  problems: FieldProblem[];
};

/** Reads a configuration file: JSON with comments and trailing commas, every `${NAME}` and `${NAME:-default}` expanded. */
export function readConfigSource(path: string, env: Environment): ConfigSource {
  return parseConfigSource(readTextIfExists(path), env);
}

/** The same of a text; undefined is a file that does not exist. */
export function parseConfigSource(text: string | undefined, env: Environment): ConfigSource {
  if (text === undefined) return { exists: false, value: {}, problems: [] };
  // Some editors begin a file with a byte order mark.
  const { parsed, problems } = parseText(text.replace(/^\ufeff/, ''));
  if (problems.length > 0) return { exists: true, value: {}, problems };
  if (!isRecord(parsed)) {
    return { exists: true, value: {}, problems: [{ path: '(file)', message: 'must hold one JSON object' }] };
  }
  const value = expandVariables(parsed, '', env, problems) as Record<string, unknown>;
  return { exists: true, value, problems };
}

/** True for a plain JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseText(text: string): { parsed: unknown; problems: FieldProblem[] } {
  try {
    // Most files have no comments, and then the tolerant parser costs neither time nor memory.
    return { parsed: JSON.parse(text), problems: [] };
  } catch {
    const errors: ParseError[] = [];
    const parsed: unknown = parse(text, errors, { allowTrailingComma: true, disallowComments: false });
    return { parsed, problems: errors.map((error) => describeParseError(text, error)) };
  }
}

function describeParseError(text: string, error: ParseError): FieldProblem {
  const before = text.slice(0, error.offset).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return {
    path: `line ${before.length}, column ${column}`,
    message: `not valid JSON: ${printParseErrorCode(error.error)}`,
  };
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

function expandVariables(value: unknown, path: string, env: Environment, problems: FieldProblem[]): unknown {
  if (typeof value === 'string') return expandString(value, path, env, problems);
  if (Array.isArray(value)) return value.map((item, index) => expandVariables(item, `${path}.${index}`, env, problems));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value)
    // The tolerant parser sets the prototype by it, the strict one a property. It means nothing to us.
    .filter(([key]) => key !== '__proto__')
    .map(([key, item]) => [key, expandVariables(item, path === '' ? key : `${path}.${key}`, env, problems)]);
  return Object.fromEntries(entries);
}

function expandString(text: string, path: string, env: Environment, problems: FieldProblem[]): string {
  return text.replace(VARIABLE, (whole, name: string, fallback: string | undefined) => {
    const value = env[name] ?? fallback;
    if (value !== undefined) return value;
    problems.push({ path, message: `refers to \${${name}}, which is not set; set it or write \${${name}:-default}` });
    return whole;
  });
}
