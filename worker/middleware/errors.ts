import type { Next } from 'koa';
import type { ErrorBody } from '../../lib/answers.ts';
import { GatewayError } from '../../lib/errors.ts';
import { isOpenAiPath, toOpenAiError } from './openai-error.ts';
import type { Context } from './state.ts';

/** The one place that turns what was thrown into `{"error": {...}}`. What is no GatewayError is logged and answered without detail. */
export function errors() {
  return async (ctx: Context, next: Next): Promise<void> => {
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined)
        throw new GatewayError('NOT_FOUND', `There is no ${ctx.method} ${ctx.path}.`);
    } catch (error) {
      answer(ctx, error);
    }
  };
}

function answer(ctx: Context, error: unknown): void {
  const known = error instanceof GatewayError ? error : readHttpError(error);
  if (known === undefined) {
    ctx.state.log.error(
      { err: error, request_id: ctx.state.requestId, method: ctx.method, path: ctx.path },
      'A request failed unexpectedly',
    );
  }
  const shown =
    known ?? new GatewayError('INTERNAL_ERROR', 'Something went wrong in the gateway; its log has the details.');
  ctx.status = shown.status;
  ctx.set({ ...shown.headers });
  ctx.body = isOpenAiPath(ctx.path) ? toOpenAiError(shown) : describe(shown, ctx.state.requestId);
}

function describe({ code, message, status, details }: GatewayError, requestId: string): ErrorBody {
  const body: ErrorBody = { error: { code, message } };
  if (details !== undefined) body.error.details = [...details];
  if (status >= 500) body.error.requestId = requestId;
  return body;
}

/** Koa and the router throw `http-errors`; those meant for the caller keep their status. */
function readHttpError(error: unknown): GatewayError | undefined {
  if (!(error instanceof Error) || !('status' in error) || !('expose' in error) || error.expose !== true)
    return undefined;
  return error.status === 413
    ? new GatewayError('PAYLOAD_TOO_LARGE', error.message)
    : new GatewayError('INVALID_REQUEST', error.message);
}
