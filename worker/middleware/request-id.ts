import { randomUUID } from 'node:crypto';
import type { Next } from 'koa';
import type { Logger } from '../../lib/log.ts';
import type { Context } from './state.ts';

const ACCEPTED = /^[\w.:-]{1,128}$/;

/** Gives every request an id: the caller's `X-Request-Id` when it is a plain word, else a new one. It is answered and logged. */
export function requestId(log: Logger) {
  return (ctx: Context, next: Next): Promise<unknown> => {
    const given = ctx.get('X-Request-Id');
    const id = ACCEPTED.test(given) ? given : randomUUID();
    ctx.state.requestId = id;
    ctx.state.log = log;
    ctx.state.isAuthenticated = false;
    ctx.set('X-Request-Id', id);
    return next();
  };
}
