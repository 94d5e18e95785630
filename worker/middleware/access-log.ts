import type { Next } from 'koa';
import type { Context } from './state.ts';

/** Health probes come every few seconds; at level info they would bury everything else. */
const QUIET = /^\/(?:api\/)?health(?:\/|$)/;

/** One line per request when its answer is decided: method, path without query (queries may hold secrets), status, time. */
export function accessLog() {
  return async (ctx: Context, next: Next): Promise<void> => {
    const startedAt = performance.now();
    await next();
    if (ctx.status < 400 && QUIET.test(ctx.path)) return;
    const fields = {
      request_id: ctx.state.requestId,
      method: ctx.method,
      path: ctx.path,
      status: ctx.status,
      ms: Math.round((performance.now() - startedAt) * 10) / 10,
      ip: ctx.ip,
    };
    if (ctx.status >= 500) ctx.state.log.error(fields, 'request');
    else ctx.state.log.info(fields, 'request');
  };
}
