import type { Next } from 'koa';
import type { Context } from './state.ts';

/** Health probes come every few seconds and would bury everything else. */
const QUIET = /^\/(?:api\/)?health(?:\/|$)/;

/** One line per request when its answer is decided: method, path without query (queries may hold secrets), status, time. */
export function accessLog() {
  return (ctx: Context, next: Next): Promise<unknown> => (QUIET.test(ctx.path) ? next() : logAnswer(ctx, next));
}

async function logAnswer(ctx: Context, next: Next): Promise<void> {
  const startedAt = performance.now();
  await next();
  const fields = {
    request_id: ctx.state.requestId,
    method: ctx.method,
    path: ctx.path,
    status: ctx.status,
    ms: Math.round((performance.now() - startedAt) * 10) / 10,
    ip: ctx.state.client.address,
    ...(ctx.state.caller === undefined ? {} : { caller: ctx.state.caller.name }),
  };
  ctx.state.log[ctx.status >= 500 ? 'error' : 'info'](fields, 'request');
}
