import type { Next } from 'koa';
import type { RootLogger } from '../../lib/log.ts';
import type { Context } from './state.ts';

/** Health probes come every few seconds and would bury everything else. */
const QUIET = /^\/(?:api\/)?health(?:\/|$)/;

type Line = { level: 'info' | 'error'; fields: Readonly<Record<string, unknown>> };

/**
 * One line per request when its answer is decided: method, path without query (queries may hold secrets), status, time. Those of one
 * turn of the event loop are written at its end, together: under load, a write for each would cost more than the requests.
 */
export function accessLog(log: RootLogger) {
  let lines: Line[] = [];
  const write = (): void => {
    const due = lines;
    lines = [];
    log.together(() => {
      for (const { level, fields } of due) log[level](fields, 'request');
    });
  };
  const follow = async (ctx: Context, next: Next): Promise<void> => {
    const startedAt = performance.now();
    await next();
    if (lines.length === 0) setImmediate(write);
    lines.push(describe(ctx, performance.now() - startedAt));
  };
  return (ctx: Context, next: Next): Promise<unknown> => (QUIET.test(ctx.path) ? next() : follow(ctx, next));
}

function describe({ state, method, path, status }: Context, ms: number): Line {
  const fields = {
    request_id: state.requestId,
    method,
    path,
    status,
    ms: Math.round(ms * 10) / 10,
    ip: state.client.address,
    ...(state.caller === undefined ? {} : { caller: state.caller.name }),
  };
  return { level: status >= 500 ? 'error' : 'info', fields };
}
