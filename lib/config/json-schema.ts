import { toJsonSchema } from '@valibot/to-json-schema';
import { configSchema } from './schema.ts';

/** The configuration's JSON Schema (2020-12), for editors and forms: what a user may write, with the manual's descriptions. */
export function buildConfigJsonSchema(): Record<string, unknown> {
  return toJsonSchema(configSchema, { target: 'draft-2020-12', typeMode: 'input', errorMode: 'ignore' }) as Record<
    string,
    unknown
  >;
}
