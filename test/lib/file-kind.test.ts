import { expect, it } from 'vitest';
import { extensionFor, guessFileKind, MEDIA_TYPES, toFileKind, toMediaType } from '../../lib/file-kind.ts';

it('every media type names one kind, and every kind one media type', () => {
  expect(MEDIA_TYPES.map((type) => toMediaType(toFileKind(type)))).toEqual([...MEDIA_TYPES]);
});

it.each([
  ['image/png', 'image', 'png'],
  ['image/gif', 'animation', 'gif'],
  ['image/svg+xml', 'file', 'bin'],
  ['video/mp4', 'video', 'mp4'],
  ['video/webm', 'file', 'webm'],
  ['audio/ogg', 'voice', 'ogg'],
  ['audio/mpeg', 'audio', 'mp3'],
  ['application/pdf', 'file', 'pdf'],
  ['constructor', 'file', 'bin'],
])('%s is shown as %s and ends in .%s', (mimeType, kind, ending) => {
  expect([guessFileKind(mimeType), extensionFor(mimeType)]).toEqual([kind, ending]);
});
