/**
 * A text with every `{{field.of.body}}` replaced by what the body holds there: text as it is, anything else as JSON, nothing for
 * what is not there.
 */
export function fillTemplate(template: string, body: unknown): string {
  return template.replace(/\{\{\s*([\w.-]+)\s*\}\}/g, (_mark, path: string) => describe(find(body, path.split('.'))));
}

function find(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return find((value as Record<string, unknown>)[name], rest);
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
