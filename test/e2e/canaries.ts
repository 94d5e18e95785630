import { isSecretPath } from '../../lib/config/secrets.ts';

/** Makes secrets that nobody would write by chance, and remembers them. */
export type Canaries = { plant(name: string): string; all: string[] };

/** An empty cage. */
export function createCanaries(): Canaries {
  const all: string[] = [];
  return {
    all,
    plant(name) {
      const canary = `canary-${name}-${process.pid}-0123456789abcdef`;
      all.push(canary);
      return canary;
    },
  };
}

/** The forms of these secrets that stand in a text: as they are, in a URL, in base64. */
export function findCanaries(text: string, secrets: readonly string[]): string[] {
  return secrets.flatMap((secret) => formsOf(secret).filter((form) => text.includes(form)));
}

function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, encodeURIComponent(secret), base64];
}

type Schema = {
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: Schema[];
};

/** Every place of the configuration whose text is a credential, from its JSON Schema; `*` is a name that the user chooses. */
export function listSecretSlots(schema: Schema, path: readonly string[] = []): string[] {
  if (schema.type === 'string') return isSecretPath(path) ? [path.join('.')] : [];
  const { properties = {}, additionalProperties: more, items, anyOf = [] } = schema;
  return [
    ...anyOf.flatMap((option) => listSecretSlots(option, path)),
    ...Object.entries(properties).flatMap(([name, property]) => listSecretSlots(property, [...path, name])),
    ...(typeof more === 'object' ? listSecretSlots(more, [...path, '*']) : []),
    ...(items === undefined ? [] : listSecretSlots(items, [...path, '0'])),
  ];
}

/** True when a configuration has a text at such a place. */
export function isFilled(config: unknown, slot: string): boolean {
  const [name, ...rest] = slot.split('.');
  if (name === undefined || name === '') return typeof config === 'string';
  if (typeof config !== 'object' || config === null) return false;
  const below = name === '*' ? Object.values(config) : [Object.entries(config).find(([key]) => key === name)?.[1]];
  return below.some((value) => isFilled(value, rest.join('.')));
}
