import { toJsonSchema } from '@valibot/to-json-schema';
import { errorAnswer } from '../../lib/answers.ts';
import { openAiErrorAnswer } from '../../lib/completions.ts';
import { ERROR_STATUS, type ErrorCode } from '../../lib/errors.ts';
import { VERSION } from '../../lib/version.ts';
import { isOpenAiPath } from '../middleware/openai-error.ts';
import { listErrorCodes, type Route, TAGS } from '../routes/route.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

export type Parameter = {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  description?: string;
  style?: string;
  explode?: boolean;
  schema: JsonSchema;
};

export type Media = { schema: JsonSchema; example?: unknown };

export type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
  security: Record<string, string[]>[];
  /** What the caller's credential must allow. */
  'x-scope': string;
};

export type OpenApiDocument = {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: Record<string, JsonSchema>; schemas: Record<string, JsonSchema> };
};

const DESCRIPTION = [
  'JSON in and out. Every error has the same envelope; its code tells what happened.',
  'A body is application/json in UTF-8, 1 MiB at most. GET answers to HEAD, too.',
  'X-Request-Id is taken over or made, answered and logged.',
].join(' ');

/** The OpenAPI 3.1 document of these routes: made of the very schemas that check requests, so it cannot say anything else. */
export function buildDocument(routes: readonly Route[]): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'xopc gateway', version: VERSION, description: DESCRIPTION },
    servers: [{ url: '/' }],
    tags: TAGS.filter((name) => routes.some(({ tag }) => tag === name)).map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The token, or the password in that mode.' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'The same secret.' },
      },
      schemas: { Error: toSchema(errorAnswer, 'output'), OpenAiError: toSchema(openAiErrorAnswer, 'output') },
    },
  };
}

function describeRoute(route: Route): Operation {
  const { method, path, scope, tag, summary, description } = route;
  const parameters = listParameters(route);
  const requestBody = describeBody(route);
  return {
    operationId: nameOperation(method, path),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: { ...listErrors(route), ...listAnswers(route) },
    security: scope === 'public' ? [] : [{ bearer: [] }, { apiKey: [] }],
    'x-scope': scope,
  };
}

/** `getApiSessionsKey` for `GET /api/sessions/:key`. */
function nameOperation(method: string, path: string): string {
  const words = path.split(/[^a-zA-Z0-9]+/).filter((word) => word !== '');
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('');
}

function listParameters({ params, query, body }: Route): Parameter[] {
  const hasKey = body !== undefined && 'idempotency_key' in propertiesOf(toSchema(body, 'input'));
  return [
    ...(params === undefined ? [] : describeParameters(toSchema(params, 'input'), 'path')),
    ...(query === undefined ? [] : describeParameters(toSchema(query, 'output'), 'query')),
    ...(hasKey ? [IDEMPOTENCY_KEY] : []),
  ];
}

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key with the same body gets the same answer, with another body 409.',
  schema: { type: 'string', maxLength: 256 },
};

function describeParameters(schema: JsonSchema, where: 'path' | 'query'): Parameter[] {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(propertiesOf(schema)).map(([name, { description, ...property }]) => ({
    name,
    in: where,
    required: where === 'path' || (required.includes(name) && !('default' in property)),
    ...(typeof description === 'string' ? { description } : {}),
    ...(property['type'] === 'array' ? { style: 'form', explode: false } : {}),
    schema: withNumericDefault(property),
  }));
}

/** In a query string everything is text, also the default of a number. */
function withNumericDefault(schema: JsonSchema): JsonSchema {
  const isNumber = schema['type'] === 'integer' && typeof schema['default'] === 'string';
  return isNumber ? { ...schema, default: Number(schema['default']) } : schema;
}

function describeBody({ body, example }: Route): Operation['requestBody'] {
  if (body === undefined) return undefined;
  const schema = toSchema(body, 'input');
  const required = Array.isArray(schema['required']) && schema['required'].length > 0;
  return { required, content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } } };
}

function listAnswers({ answers, media = [] }: Route): Operation['responses'] {
  const json = Object.entries(answers).map(([status, schema]): [string, Operation['responses'][string]] => {
    const description = STATUS_TEXTS[status] ?? 'Done';
    if (schema.type === 'undefined') return [status, { description }];
    return [status, { description, content: { 'application/json': { schema: toSchema(schema, 'output') } } }];
  });
  const responses = Object.fromEntries(json);
  if (media.length === 0) return responses;
  const other = Object.fromEntries(media.map((type) => [type, { schema: { type: 'string' } }]));
  return { ...responses, 200: { description: 'Done', content: { ...responses[200]?.content, ...other } } };
}

const STATUS_TEXTS: Readonly<Record<string, string>> = {
  201: 'Created',
  304: 'Not changed since the caller fetched it',
  503: 'Not now',
};

function listErrors(route: Route): Operation['responses'] {
  const byStatus = new Map<number, ErrorCode[]>();
  const schema = { $ref: `#/components/schemas/${isOpenAiPath(route.path) ? 'OpenAiError' : 'Error'}` };
  for (const code of listErrorCodes(route)) {
    for (const status of statusesOf(code)) byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      { description: codes.join(', '), content: { 'application/json': { schema } } },
    ]),
  );
}

/** Two codes have a second status: an agent that took too long, and a host name that is not ours (RFC 9110, 15.5.20). */
function statusesOf(code: ErrorCode): number[] {
  if (code === 'AGENT_ERROR') return [ERROR_STATUS[code], 504];
  return code === 'FORBIDDEN' ? [ERROR_STATUS[code], 421] : [ERROR_STATUS[code]];
}

/** What a schema accepts (`input`), or what it makes of it (`output`). */
function toSchema(schema: Parameters<typeof toJsonSchema>[0], typeMode: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode,
    errorMode: 'ignore',
    // Answers may get further fields; clients must not break over them.
    overrideSchema: ({ jsonSchema: { additionalProperties: _closed, ...open } }) => open,
  });
  return rest;
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
}
