import { closeSync, openSync } from 'node:fs';

/** Tells whether the terminal that the gateway was started on has been closed since. */
export type Terminal = { isLost(): boolean };

/** Remembers whether there is a controlling terminal now. SIGHUP then means that it is gone, and elsewhere that somebody sent it. */
export function watchTerminal(): Terminal {
  const hadTerminal = hasTerminal();
  return { isLost: () => hadTerminal && !hasTerminal() };
}

/** The terminal of the session, whatever the standard streams are redirected to (POSIX: /dev/tty). */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
