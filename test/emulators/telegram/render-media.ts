import type { StoredFile, StoredMedia } from './media-store.ts';
import type { WireFile, WireMessage } from './wire.ts';

/** The fields of a message that show what it carries. */
export function renderMedia({ kind, main, smaller, details }: StoredMedia): Partial<WireMessage> {
  const { duration = 1, performer, title } = details;
  const size = { width: main.width, height: main.height };
  const named = { file_name: main.name, mime_type: main.mimeType };
  const file = renderFile(main);
  switch (kind) {
    case 'photo':
      return { photo: [...smaller, main].map(renderSize) };
    case 'document':
      return { document: { ...named, ...file } };
    case 'voice':
      return { voice: { duration, mime_type: main.mimeType, ...file } };
    case 'audio': {
      const credits = { ...(performer === undefined ? {} : { performer }), ...(title === undefined ? {} : { title }) };
      return { audio: { duration, ...named, ...credits, ...file } };
    }
    case 'video':
      return { video: { duration, ...size, ...named, ...file } };
    case 'animation':
      // Old clients know no animations: the platform shows each as a document, too.
      return { animation: { ...named, duration, ...size, ...file }, document: { ...named, ...file } };
    default:
      return kind satisfies never;
  }
}

function renderSize(file: StoredFile): WireFile {
  return { ...renderFile(file), width: file.width, height: file.height };
}

function renderFile({ fileId, uniqueId, size }: StoredFile): WireFile {
  return { file_id: fileId, file_unique_id: uniqueId, file_size: size };
}
