import { ExitError } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import type { Output } from './output.ts';

/** The port that an option names; throws an `ExitError` 2 for anything but a whole number from 0 to 65535. */
export function readPort(value: string, output: Output): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new ExitError(EXIT.usage, output.text('badPort', { value }));
}
