import { isRecord } from './source.ts';

/** Names whose text is a credential, also under keys that no schema knows: better one too many than one that is shown. */
const SECRET_NAME =
  /(token|password|passphrase|secret|api_?key|encrypt_?key|private_?key|access_?key|credential|hash)s?$/i;

/** Folders of settings in which every text may be one. */
const SECRET_FOLDERS: ReadonlySet<string> = new Set(['headers', 'env']);

/** A URL with a user name or password in it, such as that of a proxy. */
const WITH_USER_INFO = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i;

/** True when a text at this place of the configuration is a credential. */
export function isSecretPath(path: readonly string[]): boolean {
  const name = path.findLast((key) => !/^\d+$/.test(key)) ?? '';
  if (SECRET_NAME.test(name) || path.some((key) => SECRET_FOLDERS.has(key))) return true;
  return path.length === 2 && path[0] === 'providers';
}

/** A credential as it is shown: that it is there and where it comes from. Sent back, it stands for "as it was". */
export type ShownSecret = { secret: true; set: boolean; source: string };

/** A copy of the configuration in which each credential is replaced by what `show` makes of it. */
export function mapSecrets(value: unknown, show: (text: string) => unknown, path: readonly string[] = []): unknown {
  if (typeof value === 'string') return isSecretPath(path) || WITH_USER_INFO.test(value) ? show(value) : value;
  if (Array.isArray(value)) return value.map((item, index) => mapSecrets(item, show, [...path, String(index)]));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapSecrets(item, show, [...path, key])]));
}

/** How the API shows a credential: never any of it. The name of a variable is none. */
export function describeSecret(text: string): ShownSecret {
  const variable = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-[^}]*)?\}$/.exec(text)?.[1];
  return { secret: true, set: text !== '', source: variable === undefined ? 'config' : `env:${variable}` };
}

/**
 * A patch in which every shown credential is the one of `current` again. One that stands where there is none is left out, so that
 * it changes nothing either.
 */
export function restoreSecrets(patch: unknown, current: unknown): unknown {
  if (isShownSecret(patch)) return current;
  if (Array.isArray(patch)) {
    return patch.map((item, index) => restoreSecrets(item, Array.isArray(current) ? current[index] : undefined));
  }
  if (!isRecord(patch)) return patch;
  const entries = Object.entries(patch).map(([key, item]) => {
    return [key, restoreSecrets(item, isRecord(current) && Object.hasOwn(current, key) ? current[key] : undefined)];
  });
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

function isShownSecret(value: unknown): boolean {
  return isRecord(value) && value['secret'] === true && typeof value['set'] === 'boolean';
}
