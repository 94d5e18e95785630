import * as v from 'valibot';
import { type FieldProblem, GatewayError } from '../../lib/errors.ts';
import { readJsonBody } from '../middleware/body.ts';
import type { Context } from '../middleware/state.ts';

export type Scope = 'public' | 'operator.read' | 'operator.write' | 'operator.admin';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

type Output<Schema> = Schema extends v.GenericSchema ? v.InferOutput<Schema> : undefined;

export type RouteDefinition<Body, Query> = {
  method: Method;
  path: string;
  /** What callers need; closed to all but the owner when it is left out. */
  scope?: Scope;
  /** What the request must carry; both are validated before `handle` runs. */
  body?: Body;
  query?: Query;
  /** Returns the JSON answer, or nothing when it has set the body itself. */
  handle(request: {
    ctx: Context;
    body: Output<Body>;
    query: Output<Query>;
    params: Readonly<Record<string, string>>;
  }): unknown;
};

export type Route = { method: Method; path: string; scope: Scope; handle(ctx: Context): Promise<void> };

/** Makes a route of its definition: validates, calls the handler, answers with what it returns. */
export function defineRoute<
  Body extends v.GenericSchema | undefined = undefined,
  Query extends v.GenericSchema | undefined = undefined,
>(definition: RouteDefinition<Body, Query>): Route {
  const { method, path, scope = 'operator.admin' } = definition;
  return {
    method,
    path,
    scope,
    async handle(ctx) {
      const body = definition.body === undefined ? undefined : parse(definition.body, (await readJsonBody(ctx)) ?? {});
      const query = definition.query === undefined ? undefined : parse(definition.query, { ...ctx.query });
      const params = (ctx['params'] ?? {}) as Record<string, string>;
      const answer = await definition.handle({
        ctx,
        body: body as Output<Body>,
        query: query as Output<Query>,
        params,
      });
      if (answer !== undefined) ctx.body = answer;
    },
  };
}

/** What a value is by its schema. Throws INVALID_REQUEST with every field that is wrong. */
export function parse<Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  // Valibot takes an array for an object with no keys.
  if (Array.isArray(value)) throw new GatewayError('INVALID_REQUEST', 'The body must be a JSON object, not an array.');
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const details: FieldProblem[] = result.issues.map((issue) => ({
    path: v.getDotPath(issue) ?? '(body)',
    message: explainIssue(issue),
  }));
  throw new GatewayError(
    'INVALID_REQUEST',
    details.map(({ path, message }) => (message.startsWith(path) ? message : `${path}: ${message}`)).join('; '),
    { details },
  );
}

function explainIssue(issue: v.BaseIssue<unknown>): string {
  const isMissing = issue.kind === 'schema' && issue.received === 'undefined';
  if (isMissing) return 'is required';
  return issue.message.replace(/^Invalid \w+: /, '');
}
