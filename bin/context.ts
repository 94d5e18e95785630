import type { Environment } from '../lib/env.ts';
import { mergeEnvFile } from './env-file.ts';
import { createOutput, detectLanguage, type Language, type Output } from './output.ts';

/** Who called: the environment, `--env-file` included as soon as it is read, and what `--lang` says. */
export type Caller = { env: Environment; language: Language | undefined };

/** What every command is given. */
export type CommandContext = {
  env: Environment;
  output: Output;
  /** `--config`. */
  configFlag?: string;
};

/** Creates what a command is given from the options that all of them have. Rejects as `mergeEnvFile` throws. */
export async function createContext(
  caller: Caller,
  { config, envFile }: Readonly<Record<string, unknown>>,
): Promise<CommandContext> {
  if (typeof envFile === 'string') caller.env = mergeEnvFile(caller.env, envFile, await speakTo(caller));
  const output = await speakTo(caller);
  return { env: caller.env, output, ...(typeof config === 'string' ? { configFlag: config } : {}) };
}

/** Creates the output in the caller's language. */
export function speakTo({ env, language }: Caller): Promise<Output> {
  return createOutput(language ?? detectLanguage(env));
}
