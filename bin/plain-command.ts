/** A command line that needs no parser: what it runs, and its options as the parser would have named them. */
export type PlainCommand = { name: 'start' | 'status'; options: Readonly<Record<string, string | boolean>> };

/** The options of `xopc gateway` that have a value. `--bind` is not among them, because its value has to be judged. */
const VALUE_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['--config', 'config'],
  ['--port', 'port'],
  ['--token', 'token'],
  ['--env-file', 'envFile'],
]);

/**
 * Reads the two command lines that matter most without commander, which takes 1.2 MB of a gateway for as long as it runs, and a
 * fifth of the time of `status`. Undefined for all that is not spelled out plainly: commander judges that, and only it complains.
 */
export function readPlainCommand(args: readonly string[]): PlainCommand | undefined {
  const [command, subCommand, ...rest] = args;
  if (command !== 'gateway') return undefined;
  return subCommand === 'status' ? readStatus(rest) : readStart(args.slice(1));
}

function readStatus(args: readonly string[]): PlainCommand | undefined {
  const options = { probe: true, json: false };
  for (const arg of args) {
    if (arg === '--json') options.json = true;
    else if (arg === '--no-probe') options.probe = false;
    else return undefined;
  }
  return { name: 'status', options };
}

function readStart(args: readonly string[]): PlainCommand | undefined {
  const options: Record<string, string | boolean> = {};
  const words = args.values();
  for (const word of words) {
    if (word === '--force') {
      options['force'] = true;
      continue;
    }
    const name = VALUE_OPTIONS.get(word);
    const value: string | undefined = name === undefined ? undefined : words.next().value;
    if (name === undefined || value === undefined || !isPlainValue(value)) return undefined;
    options[name] = value;
  }
  return { name: 'start', options };
}

/** A lone dash means standard input; with more behind it, it may be the next option. */
function isPlainValue(value: string): boolean {
  return value === '-' || (value !== '' && !value.startsWith('-'));
}
