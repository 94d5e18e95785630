import type { Environment } from '../lib/env.ts';
import type { Output } from './output.ts';

/** What every command is given. */
export type CommandContext = {
  env: Environment;
  output: Output;
  /** `--config`. */
  configFlag?: string;
};
