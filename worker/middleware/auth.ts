import type { Next } from 'koa';
import { GatewayError } from '../../lib/errors.ts';
import { createSecretMatcher, fingerprint } from '../../lib/token.ts';
import type { Context } from './state.ts';

/** How callers prove who they are, resolved at start. */
export type Credential =
  | { mode: 'none' }
  /** `source` names where the secret was read, for refusals that say what to fix (TOK-4). */
  | { mode: 'token' | 'password'; secret: string; source: string };

/** Lets a request through when it presents the credential or asks for a public path; everything else is 401. Closed by default. */
export function auth(credential: Credential, isPublic: (method: string, path: string) => boolean) {
  const matches = credential.mode === 'none' ? () => true : createSecretMatcher(credential.secret);
  return (ctx: Context, next: Next): Promise<unknown> => {
    const presented = readCredential(ctx);
    ctx.state.isAuthenticated = credential.mode === 'none' || (presented !== undefined && matches(presented));
    if (ctx.state.isAuthenticated || isPublic(ctx.method, ctx.path)) return next();
    throw refuse(credential, presented);
  };
}

/** The secret of `Authorization: Bearer` (RFC 6750) or `X-Api-Key`; Bearer wins. */
function readCredential({ headers }: Context): string | undefined {
  const { authorization, 'x-api-key': key } = headers;
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S.*)$/i.exec(authorization)?.[1]?.trim();
  return bearer ?? (typeof key === 'string' && key !== '' ? key : undefined);
}

function refuse(credential: Credential, presented: string | undefined): GatewayError {
  const headers = { 'WWW-Authenticate': 'Bearer realm="xopc"' };
  if (credential.mode === 'none') return new GatewayError('UNAUTHORIZED', 'Not allowed.', { headers });
  if (presented === undefined) {
    return new GatewayError(
      'UNAUTHORIZED',
      `This needs the gateway's ${credential.mode}: send "Authorization: Bearer <${credential.mode}>" or "X-Api-Key".`,
      { headers },
    );
  }
  const seen = `The presented ${credential.mode} (${fingerprint(presented)}) is not the gateway's, which comes from ${credential.source}.`;
  const hint = credential.mode === 'token' ? 'See "xopc gateway token".' : 'Check gateway.auth.password.';
  return new GatewayError('UNAUTHORIZED', `${seen} ${hint}`, { headers });
}
