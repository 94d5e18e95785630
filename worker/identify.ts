import { timingSafeEqual } from 'node:crypto';
import type { Config } from '../lib/config/schema.ts';
import { widestScope } from '../lib/scopes.ts';
import { sha256 } from '../lib/token.ts';
import type { Caller } from './middleware/state.ts';

/** How callers prove who they are, resolved at start. */
export type Credential =
  | { mode: 'none' }
  /** `source` names where the secret was read, for refusals that say what to fix (TOK-4). */
  | { mode: 'token' | 'password'; secret: string; source: string };

/** A token of its own for a program, with what it may do. */
export type AccessToken = Config['gateway']['auth']['tokens'][number];

/**
 * Makes the function that tells whose credential was presented. It takes as long for a wrong one as for a right one, and what a
 * caller may do comes from our own record, never from the request (INJ-6).
 */
export function createIdentifier(
  credential: Credential,
  tokens: readonly AccessToken[],
): (presented: string) => Caller | undefined {
  const known: { digest: Buffer; caller: Caller }[] = tokens.map(({ name, hash, scopes }) => ({
    digest: Buffer.from(hash.slice('sha256:'.length), 'hex'),
    caller: { name, scope: widestScope(scopes) },
  }));
  if (credential.mode !== 'none')
    known.unshift({ digest: sha256(credential.secret), caller: { name: 'owner', scope: 'operator.admin' } });
  return (presented) => {
    const digest = sha256(presented);
    // Every one is looked at, so that the time tells nothing.
    return known.filter((entry) => timingSafeEqual(entry.digest, digest))[0]?.caller;
  };
}
