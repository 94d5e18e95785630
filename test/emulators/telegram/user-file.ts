import { ControlError } from '../core/control-body.ts';
import type { UserFile } from './control-contract.ts';
import { factsOf, guessMimeType, isMediaKind } from './media-kinds.ts';
import type { NewMedia } from './media-store.ts';

const defaultBytes = 1000;

/** What a person's file becomes; a size that contradicts the content is the test's mistake. */
export function readUserFile(file: UserFile): NewMedia {
  const { kind, mimeType, sizeBytes, contentBase64 } = file;
  if (!isMediaKind(kind)) throw new ControlError(`unknown kind of file: ${String(kind)}`);
  const name = file.name ?? `${kind}.${factsOf(kind).extension}`;
  const content = contentBase64 === undefined ? null : Buffer.from(contentBase64, 'base64');
  const size = sizeBytes ?? content?.length ?? defaultBytes;
  if (!Number.isInteger(size) || size < 1) throw new ControlError('a file has at least one byte');
  if (content !== null && content.length !== size) {
    throw new ControlError(`sizeBytes is ${size}, but the content has ${content.length} bytes`);
  }
  return { kind, name, mimeType: mimeType ?? guessMimeType(kind, name), size, content, details: {} };
}
