import * as v from 'valibot';
import { type ErrorCode, type FieldProblem, GatewayError } from '../../lib/errors.ts';
import { readJsonBody } from '../middleware/body.ts';
import type { Context } from '../middleware/state.ts';

export type Scope = 'public' | 'operator.read' | 'operator.write' | 'operator.admin';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The chapters of the document, in their order. */
export const TAGS = [
  'Agent',
  'Messages',
  'Sessions',
  'Outbox',
  'Channels',
  'Cron',
  'Pairing',
  'OpenAI',
  'Configuration',
  'Operations',
  'Console',
] as const;

export type Tag = (typeof TAGS)[number];

type Schema = v.GenericSchema;
type Answers = Readonly<Record<number, Schema>>;
type Output<Given> = Given extends Schema ? v.InferOutput<Given> : undefined;

/** What a route takes and gives: it drives validation, types and the document. */
export type Contract<Params = Schema | undefined, Query = Params, Body = Params, Given = Answers> = {
  method: Method;
  path: string;
  /** What callers need; closed to all but the owner when it is left out. */
  scope?: Scope;
  tag: Tag;
  /** What it does, in a line. */
  summary: string;
  description?: string;
  /** What the request must carry; all three are validated before `handle` runs. */
  params?: Params;
  query?: Query;
  body?: Body;
  /** A body that works as it is. */
  example?: Body extends Schema ? v.InferInput<Body> : undefined;
  /** The JSON answers by status. */
  answers: Given;
  /** Content types of a 200 answer that is no JSON. */
  media?: readonly string[];
  /** The codes of its own; those that any request may meet go without saying. */
  errors?: readonly ErrorCode[];
};

export type RouteDefinition<Params, Query, Body, Given extends Answers> = Contract<Params, Query, Body, Given> & {
  /** Returns the JSON answer, or nothing when it has set the body itself. */
  handle(request: {
    ctx: Context;
    params: Output<Params>;
    query: Output<Query>;
    body: Output<Body>;
  }): Returned<Given> | Promise<Returned<Given>>;
};

type Returned<Given extends Answers> =
  | { [Status in keyof Given]: Given[Status] extends Schema ? v.InferInput<Given[Status]> : never }[keyof Given]
  | undefined;

export type Route = Contract & { scope: Scope; handle(ctx: Context): Promise<void> };

/** Makes a route of its definition: validates, calls the handler, answers with what it returns. */
export function defineRoute<
  const Given extends Answers,
  Params extends Schema | undefined = undefined,
  Query extends Schema | undefined = undefined,
  Body extends Schema | undefined = undefined,
>(definition: RouteDefinition<Params, Query, Body, Given>): Route {
  const { handle, scope = 'operator.admin', ...contract } = definition;
  return {
    ...(contract as Contract),
    scope,
    async handle(ctx) {
      const body = definition.body === undefined ? undefined : parse(definition.body, (await readJsonBody(ctx)) ?? {});
      const query = definition.query === undefined ? undefined : parse(definition.query, { ...ctx.query });
      const params = definition.params === undefined ? undefined : parse(definition.params, { ...ctx['params'] });
      const answer = await handle({
        ctx,
        params: params as Output<Params>,
        query: query as Output<Query>,
        body: body as Output<Body>,
      });
      if (answer !== undefined) ctx.body = answer;
    },
  };
}

/** Every code that a route may answer with: its own, and those of what stands before it. */
export function listErrorCodes({ scope, params, query, body, errors = [] }: Contract): ErrorCode[] {
  const hasInput = params !== undefined || query !== undefined || body !== undefined;
  const general: ErrorCode[] = [
    ...(hasInput ? (['INVALID_REQUEST'] as const) : []),
    ...(body === undefined ? [] : (['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const)),
    ...(scope === 'public' ? [] : (['UNAUTHORIZED', 'RATE_LIMITED'] as const)),
    'FORBIDDEN',
    'INTERNAL_ERROR',
    'NOT_READY',
  ];
  return [...new Set([...errors, ...general])];
}

/** What a value is by its schema. Throws INVALID_REQUEST with every field that is wrong. */
export function parse<Wanted extends Schema>(schema: Wanted, value: unknown): v.InferOutput<Wanted> {
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
