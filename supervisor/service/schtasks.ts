import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../lib/env.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { readTextIfExists } from '../../lib/fs.ts';
import type { ServiceManager, ServiceRun } from './contract.ts';
import { renderWindowsLauncher, windowsLauncherPath } from './launcher.ts';
import { runTool, type ToolResult } from './run-tool.ts';
import { encodeTask, parseTask, renderTask } from './task-xml.ts';

export type SchtasksOptions = { name: string; env: Environment; serviceDir: string; timeoutMs?: number };

const TIMEOUT_MS = 30_000;

/** The task scheduler of Windows. What it prints is in the language of the system, so only codes, numbers and XML are read. */
export function openSchtasks({ name, env, serviceDir, timeoutMs = TIMEOUT_MS }: SchtasksOptions): ServiceManager {
  // A copy of ours: the scheduler adds to what it is given.
  const mainFile = join(serviceDir, 'task.xml');
  const launcher = windowsLauncherPath(serviceDir);
  const schtasks = (...args: string[]): Promise<ToolResult> => runTool('schtasks', args, { env, timeoutMs });
  const order = async (...args: string[]): Promise<void> => {
    const result = await schtasks(...args);
    if (result.code !== 0) throw refusal(result, args);
  };
  const start = async (): Promise<void> => {
    await order('/Change', '/TN', name, '/ENABLE');
    await order('/Run', '/TN', name);
  };
  return {
    kind: 'schtasks',
    mainFile,
    render: (definition) => [
      { path: launcher, content: renderWindowsLauncher(definition) },
      { path: mainFile, content: encodeTask(renderTask(definition)) },
    ],
    read() {
      if (!existsSync(mainFile)) return undefined;
      const bytes = readFileSync(mainFile);
      return { text: bytes.toString('utf16le'), parsed: parseTask(bytes, readTextIfExists(launcher)) };
    },
    isEnabled: async () => isTaskEnabled(await schtasks('/Query', '/TN', name, '/XML')),
    survivesLogout: () => 'log-in-only',
    async findObstacle() {
      const { code, failure } = await schtasks('/Query', '/?');
      return code === 0 ? null : { code: 'no-scheduler', detail: failure ?? '' };
    },
    enable: () => order('/Create', '/TN', name, '/XML', mainFile, '/F'),
    keepAfterLogout: () => Promise.resolve(null),
    start,
    // What ran was told to end by its supervisor's own pipe: the scheduler can only kill (WIN-3).
    restart: start,
    // Else the next minute would start it again (WIN-4).
    stop: () => order('/Change', '/TN', name, '/DISABLE'),
    look: async () => parseQuery(await schtasks('/Query', '/TN', name, '/V', '/FO', 'CSV', '/NH')),
    remove: () => order('/Delete', '/TN', name, '/F'),
  };
}

/** Switches the task off that started this process: the scheduler would start it again and again (LOOP-1). Its failure is not ours. */
export async function disableOwnTask(env: Environment): Promise<void> {
  const name = env['XOPC_SERVICE_NAME'];
  if (name !== undefined)
    await runTool('schtasks', ['/Change', '/TN', name, '/DISABLE'], { env, timeoutMs: TIMEOUT_MS });
}

function refusal({ code, failure }: ToolResult, args: readonly string[]): ExitError {
  return new ExitError(EXIT.failure, `The task scheduler refused (${code ?? 'no code'}): ${failure ?? ''}`, {
    hint: `Run it by hand: schtasks ${args.join(' ')}`,
  });
}

/** In the XML of a task: whether it is enabled as a whole, which its triggers have a word of their own for. */
export function isTaskEnabled({ code, output }: ToolResult): boolean {
  if (code !== 0) return false;
  const settings = /<Settings>[\s\S]*<\/Settings>/.exec(output.replaceAll('\0', ''))?.[0] ?? '';
  return !/<Enabled>false<\/Enabled>/.test(settings);
}

/** SCHED_S_TASK_RUNNING and SCHED_S_TASK_HAS_NOT_RUN. */
const RUNNING = 267_009;
const NEVER_RUN = 267_011;
/** "Last Result" in the columns of `/Query /V /FO CSV`, whose names are translated. */
const RESULT_COLUMN = 6;

/** What `/Query` says of a task. Its columns have a fixed order; the words in them are in the language of the system. */
export function parseQuery({ code, output, failure }: ToolResult): ServiceRun {
  if (code !== 0) return { state: 'unknown', pid: null, lastExitCode: null, detail: failure ?? '' };
  const rows = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  // One row per trigger.
  const columns = [...(rows[0] ?? '').matchAll(/"((?:[^"]|"")*)"/g)].map(([, column = '']) => column);
  const result = Number(columns[RESULT_COLUMN] ?? Number.NaN);
  if (Number.isNaN(result)) return { state: 'unknown', pid: null, lastExitCode: null, detail: rows[0] ?? '' };
  if (result === RUNNING) return { state: 'running', pid: null, lastExitCode: null, detail: 'running' };
  const lastExitCode = result === NEVER_RUN ? null : result;
  return {
    state: 'stopped',
    pid: null,
    lastExitCode,
    detail: lastExitCode === null ? 'never run' : `last result ${result}`,
  };
}
