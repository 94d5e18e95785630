import type { Next } from 'koa';
import { SECURITY_HEADERS } from '../../lib/security-headers.ts';
import type { Context } from './state.ts';

const ENTRIES = Object.entries(SECURITY_HEADERS);

/** Puts the security headers on every answer, whatever becomes of the request. */
export function securityHeaders() {
  return (ctx: Context, next: Next): Promise<unknown> => {
    for (const [name, value] of ENTRIES) ctx.res.setHeader(name, value);
    return next();
  };
}
