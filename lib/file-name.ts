import { extname } from 'node:path';

const MAX_LENGTH = 80;

/** A name of letters, digits, `.`, `_` and `-` that stays in its folder and keeps its ending; `fallback` for one that is empty. */
export function safeFileName(name: string, fallback: string): string {
  const safe = name.replace(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^\.+/, '');
  if (safe === '' || safe === '_') return fallback;
  const ending = extname(safe).slice(0, MAX_LENGTH / 2);
  return safe.length <= MAX_LENGTH ? safe : safe.slice(0, MAX_LENGTH - ending.length) + ending;
}
