import { dirname } from 'node:path';
import { watch } from 'chokidar';
import type { Logger } from '../../lib/log.ts';

const DEBOUNCE_MS = 300;

/**
 * Calls `onChange` when the folder of a file has been quiet for 300 ms after a change. The folder is watched, not the file, because
 * editors replace files. Returns what ends it.
 */
export function watchFile(path: string, onChange: () => void, log: Logger): () => void {
  const watcher = watch(dirname(path), { depth: 0, ignoreInitial: true, followSymlinks: false });
  let timer: NodeJS.Timeout | undefined;
  watcher.on('all', () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, DEBOUNCE_MS);
  });
  // What happened before it watched is not told.
  watcher.on('ready', onChange);
  watcher.on('error', (error) =>
    log.warn({ err: error }, 'The configuration cannot be watched; send SIGHUP after changes'),
  );
  return () => {
    clearTimeout(timer);
    watcher
      .close()
      .catch((error: unknown) => log.warn({ err: error }, 'Watching the configuration did not end cleanly'));
  };
}
