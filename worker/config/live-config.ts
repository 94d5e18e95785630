import { readAt, setAt, unsetAt } from '../../lib/config/path.ts';
import type { Config } from '../../lib/config/schema.ts';

export type LiveConfig = {
  /** Reads as the configuration of the moment. Whoever holds a section of it keeps that one as it was. */
  readonly view: Config;
  /** The configuration of the moment itself, which never changes. */
  current(): Config;
  /** Takes the settings at some dotted paths from another configuration. */
  take(next: Config, paths: readonly string[]): void;
};

/** A configuration of which parts can be replaced while services read it, each time anew. */
export function createLiveConfig(initial: Config): LiveConfig {
  let current = initial;
  // On a copy: of a frozen target, a proxy must tell the truth.
  const view = new Proxy({ ...initial }, { get: (_target, key) => Reflect.get(current, key) });
  return {
    view,
    current: () => current,
    take(next, paths) {
      for (const path of paths) current = takePath(current, next, path.split('.'));
    },
  };
}

function takePath(current: Config, next: Config, path: readonly string[]): Config {
  const value = readAt(next, path);
  const changed = value === undefined ? unsetAt(current, path) : setAt(current, path, value);
  // Both are of the schema, and the path is one where they differ.
  return changed as Config;
}
