import { badRequest } from '../api-error.ts';
import type { MethodContext } from './context.ts';

const maxDownloadBytes = 20 << 20;

/** `getFile`: opens, or renews, the link of a file of at most 20 MiB. */
export function getFile({ bot, params, clock }: MethodContext): object {
  const id = params.text('file_id');
  if (id === '') throw badRequest('file_id not specified');
  const file = bot.media.findFile(id);
  if (file === undefined) throw badRequest('wrong file_id or the file is temporarily unavailable');
  if (file.size > maxDownloadBytes) throw badRequest('file is too big');
  return {
    file_id: file.fileId,
    file_unique_id: file.uniqueId,
    file_size: file.size,
    file_path: bot.media.openLink(file, clock.now()),
  };
}
