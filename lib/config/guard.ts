import * as v from 'valibot';
import { parseIpRange } from '../ip-range.ts';
import { normalizeHostName, normalizeOrigin } from '../origin.ts';
import { OPERATOR_SCOPES } from '../scopes.ts';
import { describe } from './describe.ts';

const count = (minimum: number, maximum: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum));

const normalized = (normalize: (text: string) => string | undefined, problem: string) =>
  v.pipe(
    v.string(),
    v.transform((text) => normalize(text)),
    v.string(problem),
  );

const corsOrigin = normalized(
  (text) => (text === '*' ? text : normalizeOrigin(text)),
  'must be an origin such as "https://app.example.com", without a path, or "*"',
);

const hostName = normalized(normalizeHostName, 'must be a host name without port, such as "gateway.example.com"');

const addressRange = normalized(
  (text) => (parseIpRange(text) === undefined ? undefined : text.trim()),
  'must be an IP address or a block such as "10.0.0.0/8"',
);

const accessToken = v.object({
  name: describe(
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be letters, digits, ".", "-" and "_"')),
    'Who uses it; the log names it.',
  ),
  hash: describe(
    v.pipe(
      v.string(),
      v.regex(/^sha256:[0-9a-fA-F]{64}$/, 'must be "sha256:" and 64 hexadecimal digits'),
      v.toLowerCase(),
    ),
    'What "xopc gateway token create" prints; the token itself is kept nowhere.',
  ),
  scopes: describe(
    v.pipe(v.array(v.picklist(OPERATOR_SCOPES)), v.minLength(1, 'must name at least one scope')),
    'What it allows; the widest counts, and includes the narrower ones.',
  ),
});

/** Keys of `gateway` that say who may reach the HTTP API. */
export const guardSettings = {
  allowedHosts: describe(
    v.optional(v.array(hostName), []),
    'Host names that the gateway answers to, besides IP addresses, localhost and *.local; "*." stands for any name below.',
  ),
  corsOrigins: describe(
    v.optional(v.array(corsOrigin), []),
    'Web pages of other origins that may call the API. "*" means any, and is refused beyond loopback.',
  ),
  trustedProxies: describe(
    v.optional(v.array(addressRange), []),
    'Addresses and blocks of your reverse proxies: only what they say in X-Forwarded-For, -Proto and -Host counts.',
  ),
  maxConnections: describe(
    v.optional(count(1, 1_000_000), 2_000),
    'Open HTTP connections before requests on further ones get 503.',
  ),
};

/** Keys of `gateway.auth` besides the credential itself. */
export const authGuardSettings = {
  rateLimit: describe(
    v.optional(
      v.object({
        enabled: describe(v.optional(v.boolean(), true), 'Whether callers with wrong credentials are made to wait.'),
        maxAttempts: describe(v.optional(count(1, 1_000_000), 5), 'Wrong credentials within the window.'),
        windowMs: describe(v.optional(count(1_000, 86_400_000), 900_000), 'The window, from the first wrong one on.'),
        blockDurationMs: describe(v.optional(count(1_000, 86_400_000), 300_000), 'How long such a caller then waits.'),
      }),
      {},
    ),
    'What keeps guessers away.',
  ),
  tokens: describe(v.optional(v.array(accessToken), []), 'Further tokens, each with a name and what it may do.'),
};
