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
  // By way of a buffer, because a lone surrogate has no URL form.
  const inUrl = encodeURIComponent(Buffer.from(secret).toString('utf8'));
  return new Set([
    secret,
    inUrl,
    inUrl.replace(/%[0-9A-F]{2}/g, (part) => part.toLowerCase()),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64url'),
    ...base64Forms(Buffer.from(secret)),
  ]);
}

/** What base64 makes of a secret at the start of a text and behind other text, such as a user name: it depends on nothing but the length before it. */
function base64Forms(secret: Buffer): string[] {
  const forms = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), secret])
      .toString('base64')
      .replace(/=+$/, '');
    // The first and last characters also carry bits of what stands around the secret.
    const isWhole = (offset + secret.length) % 3 === 0;
    return text.slice(Math.ceil((offset * 4) / 3), isWhole ? undefined : -1);
  });
  return [...forms, secret.toString('base64').replace(/=+$/, '')].filter((form) => form.length >= MIN_SECRET_LENGTH);
}
