import { type FileHandle, open } from 'node:fs/promises';
import type { Api, InputFile } from 'grammy/web';
import { errorMessage } from '../../../lib/errors.ts';
import { type OutboundFile, Rejected } from '../plugin.ts';

type SendOptions = NonNullable<Parameters<Api['sendDocument']>[2]>;
type Signal = Parameters<Api['sendDocument']>[3];

/** grammY's class comes with the rest of it, when the channel starts. */
type CreateInput = (content: AsyncIterable<Uint8Array>, name: string) => InputFile;

export type Upload = { chatId: number | string; file: OutboundFile; options: SendOptions };

/** Sends a file by the method of its kind and returns the id of the message. Throws Rejected when it cannot be read. */
export async function uploadFile(
  api: Api,
  createInput: CreateInput,
  { chatId, file, options }: Upload,
  signal: Signal,
): Promise<number> {
  const handle = await open(file.path).catch((error: unknown) => {
    throw new Rejected(`The file to send cannot be read: ${errorMessage(error)}`, { cause: error });
  });
  try {
    const input = createInput(readChunks(handle), file.name);
    const posted = await sendByKind(api, { chatId, kind: file.kind, input, options }, signal);
    return posted.message_id;
  } finally {
    // A request that was cut off leaves the reading where it was.
    await handle.close();
  }
}

const CHUNK_BYTES = 64 * 1_024;

async function* readChunks(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

type Order = Pick<Upload, 'chatId' | 'options'> & { kind: OutboundFile['kind']; input: InputFile };

function sendByKind(
  api: Api,
  { kind, chatId, input, options }: Order,
  signal: Signal,
): Promise<{ message_id: number }> {
  switch (kind) {
    case 'image':
      return api.sendPhoto(chatId, input, options, signal);
    case 'voice':
      return api.sendVoice(chatId, input, options, signal);
    case 'audio':
      return api.sendAudio(chatId, input, options, signal);
    case 'video':
      return api.sendVideo(chatId, input, options, signal);
    case 'animation':
      return api.sendAnimation(chatId, input, options, signal);
    case 'file':
      return api.sendDocument(chatId, input, options, signal);
    default:
      return kind satisfies never;
  }
}
