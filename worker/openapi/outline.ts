import type { JsonSchema, OpenApiDocument, Operation } from './document.ts';

/** The document as a person reads it. */
export type Chapter = { name: string; entries: Entry[] };

export type Entry = {
  method: string;
  path: string;
  summary: string;
  description: string | undefined;
  scope: string;
  /** Parameters of path, query and headers. */
  parameters: Field[];
  /** Fields of the body. */
  body: Field[];
  answers: { status: string; text: string; fields: Field[] }[];
  errors: { status: string; codes: string }[];
  example: string;
};

export type Field = { name: string; where: string; type: string; isRequired: boolean; description: string };

/** Chapters in the order of the routes. */
export function outlineDocument({ tags, paths }: OpenApiDocument): Chapter[] {
  const entries = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      tag: operation.tags[0],
      entry: outlineOperation(method.toUpperCase(), path, operation),
    })),
  );
  return tags.map(({ name }) => ({
    name,
    entries: entries.filter(({ tag }) => tag === name).map(({ entry }) => entry),
  }));
}

function outlineOperation(method: string, path: string, operation: Operation): Entry {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const body = requestBody?.content['application/json'];
  const outlined = Object.entries(responses).map(([status, response]) => {
    const json = response.content?.['application/json'];
    const others = Object.keys(response.content ?? {}).filter((type) => type !== 'application/json');
    const text = others.length === 0 ? response.description : `${response.description} (${others.join(', ')})`;
    const isError = typeof json?.schema['$ref'] === 'string';
    return { status, text, isError, fields: json === undefined || isError ? [] : listFields(json.schema, 'answer') };
  });
  return {
    method,
    path,
    summary,
    description,
    scope: operation['x-scope'],
    parameters: parameters.map(({ name, in: where, required, description: text, schema }) => ({
      name,
      where,
      type: describeType(schema),
      isRequired: required,
      description: text ?? '',
    })),
    body: body === undefined ? [] : listFields(body.schema, 'body'),
    answers: outlined.filter(({ isError }) => !isError),
    errors: outlined.filter(({ isError }) => isError).map(({ status, text }) => ({ status, codes: text })),
    example: writeExample(method, path, operation),
  };
}

/** The fields of an object, those of inner objects as `outer.inner`, of lists as `outer[].inner`. */
function listFields(schema: JsonSchema, where: string, prefix = ''): Field[] {
  const required = (schema['required'] ?? []) as readonly string[];
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  return Object.entries(properties).flatMap(([key, property]) => {
    const name = `${prefix}${key}`;
    const items = property['items'] as JsonSchema | undefined;
    const field: Field = {
      name,
      where,
      type: describeType(property),
      isRequired: required.includes(key),
      description: typeof property['description'] === 'string' ? property['description'] : '',
    };
    const inner =
      items === undefined ? listFields(property, where, `${name}.`) : listFields(items, where, `${name}[].`);
    return [field, ...inner];
  });
}

function describeType(schema: JsonSchema): string {
  const { type, enum: values, const: value, anyOf, format, items, minimum, maximum, maxLength } = schema;
  const preset = schema['default'] === undefined ? '' : `, else ${JSON.stringify(schema['default'])}`;
  if (value !== undefined) return `${JSON.stringify(value)}${preset}`;
  if (Array.isArray(values)) return `${values.map((item) => JSON.stringify(item)).join(' | ')}${preset}`;
  if (Array.isArray(anyOf)) return `${anyOf.map((option: JsonSchema) => describeType(option)).join(' | ')}${preset}`;
  if (items !== undefined) return `list of ${describeType(items as JsonSchema)}${preset}`;
  if (format === 'date-time') return 'time';
  const span = minimum === undefined || maximum === undefined ? '' : ` ${String(minimum)}–${String(maximum)}`;
  const length = maxLength === undefined ? '' : ` (at most ${String(maxLength)})`;
  return `${String(type ?? 'anything')}${span}${length}${preset}`;
}

/** A curl command that does it, with the credential in a variable. */
function writeExample(method: string, path: string, { security, requestBody }: Operation): string {
  const body = requestBody?.content['application/json']?.example;
  const url = `"$GATEWAY${path.replace(/[{](\w+)[}]/g, (_match, name: string) => name.toUpperCase())}"`;
  const parts = [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${url}`,
    ...(security.length === 0 ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...(body === undefined
      ? []
      : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`]),
  ];
  return parts.join(' \\\n  ');
}
