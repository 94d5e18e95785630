import { fingerprint } from './token.ts';

/** Values shorter than this are not searched for: they would hit ordinary text. */
const MIN_SECRET_LENGTH = 6;

/** Knows every secret of this process and takes them out of text by value, not by pattern (SEC-1). */
export type Redactor = {
  /** Adds a secret; its URL-encoded, JSON-escaped and base64 forms are covered too. Short or repeated values are ignored. */
  add(secret: string | undefined): void;
  /** The text with every known secret replaced by its fingerprint. */
  redact(text: string): string;
};

/** Creates an empty redactor. */
export function createRedactor(): Redactor {
  /** Longest first, so that no rest remains of a secret that begins with another one. */
  let replacements = new Map<string, string>();
  return {
    add(secret) {
      if (secret === undefined || secret.length < MIN_SECRET_LENGTH || replacements.has(secret)) return;
      const mark = `[${fingerprint(secret)}]`;
      for (const form of formsOf(secret)) replacements.set(form, mark);
      replacements = new Map([...replacements].sort(([left], [right]) => right.length - left.length));
    },
    redact(text) {
      let result = text;
      for (const [form, mark] of replacements) {
        if (result.includes(form)) result = result.replaceAll(form, mark);
      }
      return result;
    },
  };
}

function formsOf(secret: string): Set<string> {
  const base64 = Buffer.from(secret).toString('base64');
  return new Set([
    secret,
    // By way of a buffer, because a lone surrogate has no URL form.
    encodeURIComponent(Buffer.from(secret).toString('utf8')),
    JSON.stringify(secret).slice(1, -1),
    base64.replace(/=+$/, ''),
    Buffer.from(secret).toString('base64url'),
  ]);
}
