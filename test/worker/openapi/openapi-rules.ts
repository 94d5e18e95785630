import type { JsonSchema, OpenApiDocument, Operation } from '../../../worker/openapi/document.ts';

/** What a document does against the rules of OpenAPI 3.1 (spec.openapis.org/oas/v3.1.0), as far as we use it; empty when nothing. */
export function findViolations(document: OpenApiDocument): string[] {
  const { openapi, info, paths, components, tags } = document;
  const operations = listOperations(document);
  const ids = operations.map(({ operation }) => operation.operationId);
  return [
    ...(/^3\.1\.\d+$/.test(openapi) ? [] : [`openapi is ${openapi}`]),
    ...(info.title !== '' && info.version !== '' ? [] : ['info has no title or version']),
    ...Object.keys(paths).flatMap((path) => (path.startsWith('/') ? [] : [`${path} does not begin with /`])),
    ...repeated(ids).map((id) => `operationId ${id} is there twice`),
    ...repeated(Object.keys(paths).map((path) => path.replace(/[{]\w+[}]/g, '{}'))).map((path) => `${path} twice`),
    ...repeated(tags.map(({ name }) => name)).map((name) => `tag ${name} twice`),
    ...operations.flatMap((item) => checkOperation(document, item).map((what) => `${item.name}: ${what}`)),
    ...Object.entries(components.schemas).flatMap(([name, schema]) => checkSchema(document, schema, name)),
  ];
}

type Item = { name: string; path: string; operation: Operation };

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** Every operation with the name of its route. */
export function listOperations({ paths }: OpenApiDocument): Item[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
  );
}

function checkOperation(document: OpenApiDocument, { name, path, operation }: Item): string[] {
  const { parameters = [], requestBody, responses, security, tags } = operation;
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const templates = [...path.matchAll(/[{](\w+)[}]/g)].map(([, key = '']) => key);
  const media = [requestBody?.content ?? {}, ...Object.values(responses).map(({ content = {} }) => content)];
  return [
    ...(METHODS.includes(name.split(' ')[0]?.toLowerCase() ?? '') ? [] : ['an unknown method']),
    ...(String(inPath.map((parameter) => parameter.name)) === String(templates) ? [] : ['other path parameters']),
    ...inPath.filter((parameter) => !parameter.required).map((parameter) => `${parameter.name} must be required`),
    ...repeated(parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).map((key) => `${key} twice`),
    ...tags.filter((tag) => !document.tags.some((known) => known.name === tag)).map((tag) => `tag ${tag} is unknown`),
    ...security
      .flatMap((choice) => Object.keys(choice))
      .filter((scheme) => document.components.securitySchemes[scheme] === undefined)
      .map((scheme) => `security scheme ${scheme} is unknown`),
    ...(Object.keys(responses).length > 0 ? [] : ['no response']),
    ...Object.entries(responses).flatMap(([status, { description }]) =>
      /^[1-5]\d\d$/.test(status) && description !== '' ? [] : [`response ${status} is not described`],
    ),
    ...parameters.flatMap((parameter) => checkSchema(document, parameter.schema, parameter.name)),
    ...media.flatMap((content) =>
      Object.entries(content).flatMap(([type, { schema }]) => checkSchema(document, schema, type)),
    ),
  ];
}

const TYPES = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];

/** The keywords of JSON Schema 2020-12 that we use, each with what may stand there. */
const KEYWORDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  $ref: (value) => typeof value === 'string' && value.startsWith('#/components/schemas/'),
  type: (value) => TYPES.includes(String(value)),
  description: (value) => typeof value === 'string',
  format: (value) => typeof value === 'string',
  pattern: (value) => typeof value === 'string' && new RegExp(value, 'u') instanceof RegExp,
  enum: (value) => Array.isArray(value) && value.length > 0,
  const: () => true,
  default: () => true,
  required: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  minimum: (value) => typeof value === 'number',
  maximum: (value) => typeof value === 'number',
  minLength: (value) => Number.isInteger(value),
  maxLength: (value) => Number.isInteger(value),
  minItems: (value) => Number.isInteger(value),
  maxItems: (value) => Number.isInteger(value),
  properties: (value) => typeof value === 'object',
  items: (value) => typeof value === 'object',
  anyOf: (value) => Array.isArray(value) && value.length > 0,
};

function checkSchema(document: OpenApiDocument, schema: JsonSchema, at: string): string[] {
  const reference = schema['$ref'];
  const isLost =
    typeof reference === 'string' && document.components.schemas[reference.split('/').at(-1) ?? ''] === undefined;
  const inner: [string, JsonSchema][] = [
    ...Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>),
    ...((schema['anyOf'] ?? []) as JsonSchema[]).map((option): [string, JsonSchema] => ['anyOf', option]),
    ...(schema['items'] === undefined ? [] : [['items', schema['items'] as JsonSchema] as [string, JsonSchema]]),
  ];
  return [
    ...(isLost ? [`${at}: ${reference} leads nowhere`] : []),
    ...Object.entries(schema)
      .filter(([keyword, value]) => KEYWORDS[keyword]?.(value) !== true)
      .map(([keyword, value]) => `${at}: ${keyword}: ${JSON.stringify(value)}`),
    ...inner.flatMap(([key, value]) => checkSchema(document, value, `${at}.${key}`)),
  ];
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}
