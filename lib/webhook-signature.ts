import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * How senders of webhooks prove themselves, each with HMAC-SHA256: `standard` is standardwebhooks.com, `hmac` a time and a
 * signature in two plain headers for programs of one's own.
 */
export const SIGNATURE_SCHEMES = ['standard', 'github', 'stripe', 'slack', 'hmac'] as const;

export type SignatureScheme = (typeof SIGNATURE_SCHEMES)[number];

/** What the headers of a request claim, before a byte of its body is read. */
export type SignatureClaim = {
  scheme: SignatureScheme;
  /** The sender's id of the event, which is signed too. */
  id?: string;
  /** What is signed ahead of the body. */
  prefix: string;
  /** Of which one must be right. */
  signatures: readonly Buffer[];
};

export type SignatureProblem = { problem: string };

/** A header by its lower-case name. */
type ReadHeader = (name: string) => string | undefined;

/** So far may the sender's clock and the time on the way be apart from our clock, in seconds. */
const WINDOW_S = 300;

/** Whether a request carries the signature header of a scheme at all. */
export function hasSignature(scheme: SignatureScheme, header: ReadHeader): boolean {
  return header(SIGNATURE_HEADERS[scheme]) !== undefined;
}

const SIGNATURE_HEADERS: Readonly<Record<SignatureScheme, string>> = {
  standard: 'webhook-signature',
  github: 'x-hub-signature-256',
  stripe: 'stripe-signature',
  slack: 'x-slack-signature',
  hmac: 'x-signature',
};

/**
 * Reads what the headers of a request claim, or says what is wrong with them. Each signature has one spelling only, so that no
 * other one of the same can pass for a new request. `nowMs` is the time in epoch milliseconds.
 */
export function readSignature(
  scheme: SignatureScheme,
  header: ReadHeader,
  nowMs = Date.now(),
): SignatureClaim | SignatureProblem {
  const given = header(SIGNATURE_HEADERS[scheme]);
  if (given === undefined) return { problem: `The header ${SIGNATURE_HEADERS[scheme]} is missing.` };
  const claim = CLAIMS[scheme](given, header);
  if (claim === undefined) return { problem: `The headers are not those of the scheme "${scheme}".` };
  const { time, ...rest } = claim;
  if (time !== undefined && Math.abs(nowMs / 1_000 - Number(time)) > WINDOW_S)
    return { problem: `The time of the signature is more than ${WINDOW_S} seconds away from ours.` };
  if (claim.signatures.length === 0) return { problem: 'There is no signature that can be read.' };
  return { scheme, ...rest };
}

/** Whether a claim is proven by one of the secrets. Takes as long for a wrong one as for a right one. */
export function isSignedBy(claim: SignatureClaim, secrets: readonly string[], body: Buffer): boolean {
  const expected = secrets.map((secret) => digest(keyOf(claim.scheme, secret), claim.prefix, body));
  // Every pair is looked at, so that the time tells nothing.
  const pairs = expected.flatMap((right) => claim.signatures.map((given) => timingSafeEqual(right, given)));
  return pairs.includes(true);
}

/** The three headers that prove a request of ours (Standard Webhooks); `timeMs` is epoch milliseconds. */
export function signStandard(
  secret: string,
  { id, timeMs, body }: { id: string; timeMs: number; body: Buffer },
): Record<string, string> {
  const time = String(Math.floor(timeMs / 1_000));
  return {
    'webhook-id': id,
    'webhook-timestamp': time,
    'webhook-signature': `v1,${digest(keyOf('standard', secret), `${id}.${time}.`, body).toString('base64')}`,
  };
}

/** Why a secret cannot be one of Standard Webhooks; undefined when it can. */
export function explainStandardSecret(secret: string): string | undefined {
  const key = readBase64(/^whsec_(.+)$/.exec(secret)?.[1]);
  if (key !== undefined && key.length >= 16) return undefined;
  return 'must be "whsec_" and the base64 of 16 bytes or more, such as "whsec_" with what openssl rand -base64 32 prints';
}

type TimedClaim = Omit<SignatureClaim, 'scheme'> & { time?: string };

const CLAIMS: Readonly<Record<SignatureScheme, (given: string, header: ReadHeader) => TimedClaim | undefined>> = {
  standard: readStandard,
  github: (given) => withHex('', [/^sha256=(.+)$/.exec(given)?.[1]]),
  stripe: readStripe,
  slack: (given, header) => withTime(header('x-slack-request-timestamp'), 'v0:T:', [/^v0=(.+)$/.exec(given)?.[1]]),
  hmac: (given, header) => withTime(header('x-timestamp'), 'T.', [given]),
};

/** More than a sender that changes its secret ever sends. */
const MAX_SIGNATURES = 8;

function readStandard(given: string, header: ReadHeader): TimedClaim | undefined {
  const id = header('webhook-id');
  const time = readTime(header('webhook-timestamp'));
  // Without a dot, so that what is signed can be read in one way only.
  if (id === undefined || !/^[\w:-]{1,128}$/.test(id) || time === undefined) return undefined;
  const versions = given.split(' ').slice(0, MAX_SIGNATURES);
  const signatures = versions.flatMap((text) => readDigest(readBase64(/^v1,(.+)$/.exec(text)?.[1])));
  return { id, time, prefix: `${id}.${time}.`, signatures };
}

function readStripe(given: string): TimedClaim | undefined {
  const fields = given.split(',').map((field) => field.split('='));
  const times = fields.filter(([name]) => name === 't').map(([, value]) => value);
  if (times.length !== 1) return undefined;
  const signatures = fields.filter(([name]) => name === 'v1').map(([, value]) => value);
  return withTime(times[0], 'T.', signatures);
}

/** `form` is what is signed ahead of the body, with a T for the time. */
function withTime(
  given: string | undefined,
  form: string,
  signatures: readonly (string | undefined)[],
): TimedClaim | undefined {
  const time = readTime(given);
  return time === undefined ? undefined : { time, ...withHex(form.replace('T', time), signatures) };
}

function withHex(prefix: string, texts: readonly (string | undefined)[]): TimedClaim {
  const isHex = (text: string | undefined): text is string => text !== undefined && /^[0-9a-f]{64}$/.test(text);
  return {
    prefix,
    signatures: texts
      .slice(0, MAX_SIGNATURES)
      .filter(isHex)
      .map((text) => Buffer.from(text, 'hex')),
  };
}

/** Seconds since 1970, in the one spelling that they have. */
function readTime(text: string | undefined): string | undefined {
  return text !== undefined && /^[1-9]\d{8,10}$/.test(text) ? text : undefined;
}

function readDigest(bytes: Buffer | undefined): Buffer[] {
  return bytes?.length === 32 ? [bytes] : [];
}

function readBase64(text: string | undefined): Buffer | undefined {
  const bytes = Buffer.from(text ?? '', 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : undefined;
}

/** The schemes of single senders take a secret as it is written, also one that looks like that of the standard. */
function keyOf(scheme: SignatureScheme, secret: string): Buffer {
  const key = scheme === 'standard' ? readBase64(secret.replace(/^whsec_/, '')) : undefined;
  return key ?? Buffer.from(secret);
}

function digest(key: Buffer, prefix: string, body: Buffer): Buffer {
  return createHmac('sha256', key).update(prefix).update(body).digest();
}
