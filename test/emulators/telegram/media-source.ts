import type { UploadedFile } from './multipart.ts';
import type { Params } from './params.ts';

/** Where the file of a call comes from. */
export type MediaSource =
  | { readonly type: 'upload'; readonly file: UploadedFile }
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'id'; readonly fileId: string };

/** The file in a field: a part of that name, `attach://` and the name of a part, an address, or a file id; null if none. */
export function findSource(params: Params, field: string): MediaSource | null {
  const direct = params.files.get(field);
  if (direct !== undefined) return { type: 'upload', file: direct };
  return toSource(params, params.text(field).trim());
}

/** The file a text names; null when it is empty or the part it names is missing. */
export function toSource(params: Params, text: string): MediaSource | null {
  if (text === '') return null;
  if (/^attach:\/\//i.test(text)) {
    const file = params.files.get(text.slice('attach://'.length));
    return file === undefined ? null : { type: 'upload', file };
  }
  return /^https?:\/\//i.test(text) ? { type: 'url', url: text } : { type: 'id', fileId: text };
}
