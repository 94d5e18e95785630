import { parseArgs } from 'node:util';

/** What every emulator process is started with. */
export interface EmulatorArguments {
  readonly port: number;
  readonly seed: number;
}

/** Reads `--port N` (default 0) and `--seed N` (default 1). */
export function readArguments(argv: readonly string[]): EmulatorArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: { port: { type: 'string', default: '0' }, seed: { type: 'string', default: '1' } },
  });
  return { port: toNumber('port', values.port), seed: toNumber('seed', values.seed) };
}

/** Prints the one line that says where the emulator listens, then exits on SIGTERM or when its parent dies. */
export function announce(url: string): void {
  const parent = process.ppid;
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGINT', () => process.exit(0));
  // No pipe or IPC channel tells a child reliably that its parent was killed; the parent's id does.
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, 500);
  process.stdout.write(`${JSON.stringify({ url })}\n`);
}

function toNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} must be a whole number, got "${text}"`);
  return value;
}
