import type { Environment } from '../../lib/env.ts';
import type { ServiceScope } from './definition.ts';
import { runTool, type ToolOptions, type ToolResult } from './run-tool.ts';

/** Asks the manager of the user or of the machine. Never rejects. */
export function runSystemctl(
  scope: ServiceScope,
  args: readonly string[],
  { env, timeoutMs }: ToolOptions,
): Promise<ToolResult> {
  const [command = '', ...rest] = systemctlLine(scope, args);
  const options = { env: withUserManager(env), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  return runTool(command, ['--no-pager', '--no-ask-password', ...rest], options);
}

/** The command line that a person would type. */
export function systemctlLine(scope: ServiceScope, args: readonly string[]): string[] {
  return ['systemctl', ...(scope === 'user' ? ['--user'] : []), ...args];
}

/** su, sudo and cron set none of what leads to the user's manager; its directory alone is enough. Answers are in English. */
function withUserManager(env: Environment): Environment {
  return { XDG_RUNTIME_DIR: `/run/user/${process.getuid?.() ?? 0}`, ...env, LC_ALL: 'C' };
}
