import { Command, CommanderError, Option } from 'commander';
import { readEnvironment, serviceMarker } from '../lib/env.ts';
import { ExitError, errorMessage } from '../lib/errors.ts';
import { EXIT, serviceExitCode } from '../lib/exit.ts';
import { VERSION } from '../lib/version.ts';
import type { CommandContext } from './context.ts';
import { createOutput, detectLanguage, type Language } from './output.ts';

/** Runs the command line and returns the exit code. Nothing is thrown. */
export async function run(argv: readonly string[]): Promise<number> {
  const env = readEnvironment();
  let exitCode: number = EXIT.ok;
  const program = buildProgram(env, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportError(
      error,
      argv,
      createOutput(readLanguage(program) ?? detectLanguage(env)),
      serviceMarker(env) !== undefined,
    );
  }
}

function reportError(
  error: unknown,
  argv: readonly string[],
  output: ReturnType<typeof createOutput>,
  isManaged: boolean,
): number {
  const code = error instanceof ExitError ? error.exitCode : EXIT.failure;
  const hint = error instanceof ExitError ? error.hint : undefined;
  const message = errorMessage(error);
  if (argv.includes('--json'))
    output.json({ ok: false, error: { code, message, ...(hint === undefined ? {} : { hint }) } });
  else output.error(output.text('error', { message }), hint);
  return serviceExitCode(code, isManaged);
}

type Finish = (exitCode: number) => void;

function buildProgram(env: CommandContext['env'], finish: Finish): Command {
  const program = new Command('xopc')
    .description('Gateway between chat apps and AI agents')
    .version(VERSION)
    .addOption(new Option('--lang <language>', 'language of the output').choices(['en', 'zh']))
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  const context = (options: Record<string, unknown>): CommandContext => ({
    env,
    output: createOutput(readLanguage(program) ?? detectLanguage(env)),
    ...(typeof options['config'] === 'string' ? { configFlag: options['config'] } : {}),
  });
  addGateway(program, context, finish);
  return program;
}

function readLanguage(program: Command): Language | undefined {
  const { lang } = program.opts<{ lang?: Language }>();
  return lang;
}

type MakeContext = (options: Record<string, unknown>) => CommandContext;

function addGateway(program: Command, context: MakeContext, finish: Finish): void {
  const gateway = program
    .command('gateway')
    .description('run the gateway in the foreground, or manage the one that runs')
    .option('--config <path>', 'configuration file (default ~/.xopc/xopc.json)')
    .option('--port <number>', 'port to listen on')
    .addOption(new Option('--bind <mode>', 'where to listen').choices(['loopback', 'lan', 'auto', 'tailnet', 'custom']))
    .option('--token <token>', 'token that callers must present; "-" reads it from standard input')
    .option('--force', 'end whatever holds the port')
    .action(async (options) => {
      const { startGateway } = await import('./commands/gateway.ts');
      finish(await startGateway(context(options), options));
    });
  const sub = (name: string, description: string): Command =>
    gateway.command(name).description(description).option('--json', 'one JSON document instead of text');
  // Options that stand before the sub-command, such as --config, belong to `gateway`.
  const merged = (command: Command): Record<string, unknown> => command.optsWithGlobals();

  sub('status', 'show whether the gateway runs, and how it is')
    .option('--no-probe', 'do not ask the gateway itself')
    .action(async (_options, command: Command) => {
      const { showStatus } = await import('./commands/status.ts');
      finish(await showStatus(context(merged(command)), merged(command)));
    });
  sub('stop', 'stop the gateway and wait until it is gone')
    .option('--timeout <duration>', 'how long to wait', '30s')
    .action(async (_options, command: Command) => {
      const { stopGateway } = await import('./commands/stop.ts');
      finish(await stopGateway(context(merged(command)), merged(command)));
    });
  sub('token', 'show the token')
    .option('--show', 'in full')
    .option('--yes', 'also when the output is no terminal')
    .action(async (_options, command: Command) => {
      const { showToken } = await import('./commands/token.ts');
      finish(showToken(context(merged(command)), merged(command)));
    });
  addPairing(gateway, context, merged);
}

function addPairing(
  gateway: Command,
  context: MakeContext,
  merged: (command: Command) => Record<string, unknown>,
): void {
  const pairing = gateway.command('pairing').description('who may write to the channels in private');
  const json = ['--json', 'one JSON document instead of text'] as const;
  pairing
    .command('list')
    .description('list who is paired and who asks to be')
    .option(...json)
    .action(async (_options, command: Command) => {
      const { listPairings } = await import('./commands/pairing.ts');
      await listPairings(context(merged(command)), merged(command));
    });
  pairing
    .command('approve')
    .argument('<code>', 'the code that the sender was shown')
    .description('let a sender in')
    .option(...json)
    .action(async (code: string, _options, command: Command) => {
      const { approvePairing } = await import('./commands/pairing.ts');
      await approvePairing(context(merged(command)), code, merged(command));
    });
  pairing
    .command('revoke')
    .argument('<channel>')
    .argument('<peer>', 'id of the sender')
    .option('--account <id>', 'account of the channel', 'default')
    .description('shut a sender out')
    .option(...json)
    .action(async (channel: string, peer: string, _options, command: Command) => {
      const { revokePairing } = await import('./commands/pairing.ts');
      await revokePairing(context(merged(command)), { channel, peer }, merged(command));
    });
}
