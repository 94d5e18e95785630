import { randomBytes } from 'node:crypto';
import type { Next } from 'koa';
import type { Logger } from '../../lib/log.ts';
import type { Context } from './state.ts';

const ACCEPTED = /^[\w.:-]{1,128}$/;

/** Gives every request an id: the caller's `X-Request-Id` when it is a plain word, else a new one. It is answered and logged. */
export function requestId(log: Logger) {
  // Unique without being secret, so counting will do, under a name for this worker's life.
  const prefix = randomBytes(6).toString('hex');
  let count = 0;
  return (ctx: Context, next: Next): Promise<unknown> => {
    const given = ctx.headers['x-request-id'];
    const id = typeof given === 'string' && ACCEPTED.test(given) ? given : `${prefix}-${(count++).toString(36)}`;
    ctx.state.requestId = id;
    ctx.state.log = log;
    ctx.state.caller = undefined;
    ctx.state.isAuthenticated = false;
    ctx.res.setHeader('X-Request-Id', id);
    return next();
  };
}
