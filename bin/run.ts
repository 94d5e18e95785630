import { readEnvironment } from '../lib/env.ts';
import { ExitError, errorMessage } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import { type Caller, createContext, speakTo } from './context.ts';
import type { Output } from './output.ts';
import { type PlainCommand, readPlainCommand } from './plain-command.ts';

/** Runs the command line and returns the exit code. Nothing is thrown. */
export async function run(argv: readonly string[]): Promise<number> {
  const caller: Caller = { env: readEnvironment(), language: undefined };
  try {
    const plain = readPlainCommand(argv.slice(2));
    if (plain !== undefined) return await runPlain(plain, caller);
    const { runProgram } = await import('./program.ts');
    return await runProgram(argv, caller);
  } catch (error) {
    return reportError(error, argv, await speakTo(caller));
  }
}

async function runPlain({ name, options }: PlainCommand, caller: Caller): Promise<number> {
  const context = await createContext(caller, options);
  switch (name) {
    case 'start': {
      const { startGateway } = await import('./commands/gateway.ts');
      return startGateway(context, options);
    }
    case 'status': {
      const { showStatus } = await import('./commands/status.ts');
      return showStatus(context, options);
    }
    default:
      return name satisfies never;
  }
}

function reportError(error: unknown, argv: readonly string[], output: Output): number {
  const code = error instanceof ExitError ? error.exitCode : EXIT.failure;
  const hint = error instanceof ExitError ? error.hint : undefined;
  const message = errorMessage(error);
  if (argv.includes('--json'))
    output.json({ ok: false, error: { code, message, ...(hint === undefined ? {} : { hint }) } });
  else output.error(output.text('error', { message }), hint);
  return code;
}
