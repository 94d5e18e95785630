import { type Environment, serviceMarker } from '../lib/env.ts';
import { type EnvFile, type EnvFileProblem, readEnvFile } from '../lib/env-file.ts';
import { ExitError, errorCode, errorMessage } from '../lib/errors.ts';
import { EXIT, serviceExitCode } from '../lib/exit.ts';
import type { Messages } from './messages/en.ts';
import type { Output } from './output.ts';

/**
 * The environment with the variables of `--env-file` under it: what is really set wins. Throws an `ExitError` for a file that
 * cannot be read (2; what needs a person under a service manager, which would try for ever) and for lines that are no
 * assignments (78). A value is never in a message.
 */
export function mergeEnvFile(env: Environment, path: string, output: Output): Environment {
  const file = readOrRefuse(path, env, output);
  if (file.problems.length > 0) {
    throw new ExitError(
      serviceExitCode(EXIT.config, serviceMarker(env)),
      describeProblems(path, file.problems, output),
    );
  }
  if (file.isOpenToOthers) output.warning(output.text('envFileOpen', { path }));
  return { ...file.values, ...env };
}

function readOrRefuse(path: string, env: Environment, output: Output): EnvFile & { isOpenToOthers: boolean } {
  try {
    return readEnvFile(path);
  } catch (error) {
    const marker = serviceMarker(env);
    const code = marker === undefined ? EXIT.usage : serviceExitCode(EXIT.config, marker);
    const reason = errorCode(error) ?? errorMessage(error);
    throw new ExitError(code, output.text('envFileUnreadable', { path, reason }), {
      cause: error,
      hint: output.text('envFileUnreadableHint'),
    });
  }
}

function describeProblems(path: string, problems: readonly EnvFileProblem[], output: Output): string {
  const lines = problems.map(({ line, cause }) => `  ${path}:${line}: ${output.text(PROBLEM_TEXTS[cause])}`);
  return [output.text('envFileInvalid', { path }), ...lines].join('\n');
}

const PROBLEM_TEXTS: Readonly<Record<EnvFileProblem['cause'], keyof Messages>> = {
  'no-assignment': 'envFileNoAssignment',
  'bad-name': 'envFileBadName',
  'open-quote': 'envFileOpenQuote',
  'text-after-quote': 'envFileTextAfterQuote',
  'zero-byte': 'envFileZeroByte',
};
