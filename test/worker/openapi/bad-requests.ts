import fc from 'fast-check';
import type { JsonSchema, Operation } from '../../../worker/openapi/document.ts';

/** A request that its operation should take badly, or at least survive. */
export type BadRequest = { query: string; segments: Record<string, string>; body: string | undefined };

/** Requests for an operation, made of what the document says of it: mostly nearly right, with something wrong in them. */
export function badRequests({ parameters = [], requestBody }: Operation): fc.Arbitrary<BadRequest> {
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const schema = requestBody?.content['application/json']?.schema;
  return fc.record({
    query: fc
      .record(Object.fromEntries(inQuery.map(({ name, schema: own }) => [name, queryText(own)])), { requiredKeys: [] })
      .map((values) => new URLSearchParams(values as Record<string, string>).toString()),
    segments: fc.record(Object.fromEntries(inPath.map(({ name }) => [name, segment]))),
    body: schema === undefined ? fc.constant(undefined) : bodyText(schema),
  });
}

const NASTY = [
  '',
  ' ',
  '..',
  '%00',
  '\u0000',
  '__proto__',
  'constructor',
  '1e9',
  '-1',
  'NaN',
  "' OR 1=1 --",
  '💥',
  '\ud800',
];

const segment = fc.oneof(
  fc.constantFrom(...NASTY.filter((text) => text !== '')),
  fc.string({ minLength: 1, maxLength: 40 }),
);

function queryText(schema: JsonSchema): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(...NASTY),
    fc.string(),
    value(schema, 0).map((item) => (typeof item === 'string' ? item : JSON.stringify(item))),
  );
}

function bodyText(schema: JsonSchema): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: value(schema, 0).map((body) => JSON.stringify(body)) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 4 }) },
    { weight: 1, arbitrary: value(schema, 0).map((body) => JSON.stringify(body).slice(0, -1)) },
    { weight: 1, arbitrary: fc.constantFrom('', '{', 'null', '[]', '"x"', '{"__proto__":{"x":1}}', '\ufeff{}') },
  );
}

/** A value that the schema allows, or now and then one that it does not. */
function value(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 5, arbitrary: fitting(schema, depth) }, { weight: 1, arbitrary: STRANGERS });
}

const STRANGERS = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', [], {}, [[]], { toString: 1 }, 'x'.repeat(300)),
  fc.jsonValue({ maxDepth: 2 }),
);

function fitting(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const { type, enum: values, const: only, anyOf, items, properties, minimum, maximum } = schema;
  if (only !== undefined) return fc.constant(only);
  if (Array.isArray(values)) return fc.constantFrom(...values);
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map((option: JsonSchema) => value(option, depth + 1)));
  switch (type) {
    case 'integer':
    case 'number':
      return fc.integer({ min: Number(minimum ?? -10), max: Math.min(Number(maximum ?? 10), 2 ** 31 - 1) });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(value((items ?? {}) as JsonSchema, depth + 1), { maxLength: 3 });
    case 'object': {
      const fields = Object.entries((properties ?? {}) as Record<string, JsonSchema>);
      const model = Object.fromEntries(fields.map(([name, field]) => [name, value(field, depth + 1)]));
      const required = (schema['required'] ?? []) as string[];
      return fc.oneof(
        { weight: 4, arbitrary: fc.record(model, { requiredKeys: required }) },
        { weight: 1, arbitrary: fc.record(model, { requiredKeys: [] }) },
      );
    }
    default:
      return fc.oneof(fc.constantFrom(...NASTY), fc.string({ maxLength: 60 }));
  }
}
