import type { IncomingMessage } from 'node:http';
import type { Next } from 'koa';
import { GatewayError } from '../../lib/errors.ts';
import { type AccessToken, type Credential, createIdentifier } from '../identify.ts';
import { explainMissing, explainWrong } from './auth-refusal.ts';
import { bucketOf, type FailureLimiter } from './rate-limit.ts';
import type { Caller, Context } from './state.ts';

export type AuthOptions = {
  credential: Credential;
  tokens: readonly AccessToken[];
  limiter: FailureLimiter;
  isPublic(method: string, path: string): boolean;
};

/**
 * Lets a request through when it presents a credential that is right, or asks for a public path; everything else is 401, and 429
 * after too many wrong ones. Closed by default.
 */
export function auth({ credential, tokens, limiter, isPublic }: AuthOptions) {
  const identify = createIdentifier(credential, tokens);
  /** Where secrets may be short, a right guess must not show that it is right while its sender is blocked (SPEC 5.1). */
  const isStrict = credential.mode === 'password';
  // Strangers ask most of all, and an error that is made anew collects its stack each time.
  const missing = credential.mode === 'none' ? undefined : explainMissing(credential.mode);
  return (ctx: Context, next: Next): Promise<unknown> => {
    if (credential.mode === 'none') return pass(ctx, OWNER, next);
    const presented = readCredential(ctx);
    if (presented === undefined) {
      if (isPublic(ctx.method, ctx.path)) return next();
      throw missing;
    }
    const bucket = bucketOf(ctx);
    const waitMs = limiter.blockedMs(bucket);
    const caller = isStrict && waitMs > 0 ? undefined : identify(presented);
    if (caller !== undefined) {
      limiter.clear(bucket);
      return pass(ctx, caller, next);
    }
    if (waitMs === 0) limiter.fail(bucket);
    if (isPublic(ctx.method, ctx.path)) return next();
    throw waitMs > 0 ? explainBlock(waitMs) : explainWrong(credential, presented);
  };
}

const OWNER: Caller = { name: 'owner', scope: 'operator.admin' };

function pass({ state }: Context, caller: Caller, next: Next): Promise<unknown> {
  state.caller = caller;
  state.isAuthenticated = true;
  return next();
}

/** The secret of `Authorization: Bearer` (RFC 6750) or `X-Api-Key`; Bearer wins. */
export function readCredential({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const { authorization, 'x-api-key': key } = headers;
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S.*)$/i.exec(authorization)?.[1]?.trim();
  return bearer ?? (typeof key === 'string' && key !== '' ? key : undefined);
}

function explainBlock(waitMs: number): GatewayError {
  const seconds = Math.ceil(waitMs / 1_000);
  return new GatewayError('RATE_LIMITED', `Too many wrong credentials came from there. Try again in ${seconds} s.`, {
    headers: { 'Retry-After': String(seconds) },
  });
}
