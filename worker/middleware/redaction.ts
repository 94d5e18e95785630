import { Stream } from 'node:stream';
import type { Next } from 'koa';
import type { Redactor } from '../../lib/redact.ts';
import type { Context } from './state.ts';

/** Takes the secrets that we know out of every JSON answer, by value (SEC-1). Streams do it themselves, by `state.redact`. */
export function redaction({ redact }: Pick<Redactor, 'redact'>) {
  return async (ctx: Context, next: Next): Promise<void> => {
    ctx.state.redact = redact;
    await next();
    // What anybody is told holds nothing that was not written by us, unless it went wrong.
    if (!ctx.state.isAuthenticated && ctx.status < 400) return;
    const { body } = ctx;
    if (typeof body !== 'object' || body === null || Buffer.isBuffer(body) || body instanceof Stream) return;
    ctx.body = redact(JSON.stringify(body));
  };
}
