import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../lib/env.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { readTextIfExists, removeFile } from '../../lib/fs.ts';
import type { ServiceFile, ServiceManager, ServiceRun } from './contract.ts';
import type { ServiceDefinition } from './definition.ts';
import { launchdLabel, parsePlist, renderPlist } from './launchd-plist.ts';
import { launcherPath, renderLauncher } from './launcher.ts';
import { runTool, type ToolResult } from './run-tool.ts';

export type LaunchdOptions = {
  name: string;
  env: Environment;
  home: string;
  uid?: number;
  /** How long, and how often, an order is given again that fails for a reason which passes; default 30 s and 1 s (LOOP-5). */
  retry?: Retry;
};

type Retry = { forMs: number; everyMs: number };

const RETRY: Retry = { forMs: 30_000, everyMs: 1_000 };
/** EIO and "domain does not support specified action": they come and go while a session is being set up or torn down. */
const PASSING_CODES: ReadonlySet<number | null> = new Set([5, 125]);
/** EALREADY: it is loaded. */
const ALREADY_CODE = 37;
/** ESRCH, and "could not find service": it is not loaded. */
const ABSENT_CODES: ReadonlySet<number | null> = new Set([3, 113]);
/** EINPROGRESS: launchd is still ending it. */
const ENDING_CODE = 36;

/** The launchd of the user's own session. */
export function openLaunchd({
  name,
  env,
  home,
  uid = process.getuid?.() ?? 0,
  retry = RETRY,
}: LaunchdOptions): ServiceManager {
  const label = launchdLabel(name);
  const mainFile = join(home, 'Library', 'LaunchAgents', `${label}.plist`);
  const domain = `gui/${uid}`;
  const target = `${domain}/${label}`;
  const launchctl = (...args: string[]): Promise<ToolResult> =>
    runTool('launchctl', args, { env: { ...env, LC_ALL: 'C' } });
  const isLoaded = async (): Promise<boolean> => (await launchctl('print', target)).code === 0;
  const load = async (): Promise<void> => {
    await launchctl('enable', target);
    if (await isLoaded()) return;
    const isDone = ({ code }: ToolResult): boolean => code === 0 || code === ALREADY_CODE;
    const isPassing = ({ code }: ToolResult): boolean => PASSING_CODES.has(code);
    const args = ['bootstrap', domain, mainFile];
    const result = await repeat(() => launchctl(...args), isPassing, retry);
    if (!isDone(result)) throw refusal(result, args);
  };
  const unload = async (): Promise<void> => {
    const args = ['bootout', target];
    const result = await repeat(
      () => launchctl(...args),
      ({ code }) => code === ENDING_CODE,
      retry,
    );
    if (result.code !== 0 && !ABSENT_CODES.has(result.code)) throw refusal(result, args);
  };
  const order = async (...args: string[]): Promise<void> => {
    const result = await launchctl(...args);
    if (result.code !== 0) throw refusal(result, args);
  };
  return {
    kind: 'launchd',
    mainFile,
    render: (definition) => [
      { path: launcherPath(definition.serviceDir), content: renderLauncher() },
      { path: mainFile, content: renderPlist(definition) },
    ],
    read() {
      const text = readTextIfExists(mainFile);
      return text === undefined ? undefined : { text, parsed: parsePlist(text) };
    },
    async isEnabled() {
      const { output } = await launchctl('print-disabled', domain);
      return existsSync(mainFile) && !isDisabled(output, label);
    },
    survivesLogout: () => 'log-in-only',
    async findObstacle() {
      const { code, failure } = await launchctl('print', domain);
      return code === 0 ? null : { code: 'no-desktop', detail: failure ?? '' };
    },
    // What lies in its folder is loaded at the next log-in.
    enable: () => order('enable', target),
    keepAfterLogout: () => Promise.resolve(null),
    async start() {
      await load();
      await order('kickstart', target);
    },
    async restart({ hasNewDefinition }) {
      // launchd keeps the definition that it read when it was loaded; else nothing is taken out that might not get in again (LOOP-5).
      if (hasNewDefinition) await unload();
      await load();
      await order('kickstart', ...(hasNewDefinition ? [] : ['-k']), target);
    },
    async stop({ disable }) {
      if (disable) {
        await launchctl('disable', target);
        await unload();
        return;
      }
      const args = ['kill', 'SIGTERM', target];
      const result = await launchctl(...args);
      if (result.code !== 0 && !ABSENT_CODES.has(result.code)) throw refusal(result, args);
    },
    look: async () => parsePrint(await launchctl('print', target)),
    async remove() {
      await unload();
      removeFile(mainFile);
    },
  };
}

/** The daemon of the whole machine, which only its administrator can install. */
export function renderDaemon(definition: ServiceDefinition): ServiceFile[] {
  const path = join('/Library/LaunchDaemons', `${launchdLabel(definition.name)}.plist`);
  return [
    { path: launcherPath(definition.serviceDir), content: renderLauncher() },
    { path, content: renderPlist(definition) },
  ];
}

async function repeat(
  attempt: () => Promise<ToolResult>,
  isPassing: (result: ToolResult) => boolean,
  { forMs, everyMs }: Retry,
): Promise<ToolResult> {
  const deadline = Date.now() + forMs;
  for (;;) {
    const result = await attempt();
    if (!isPassing(result) || Date.now() >= deadline) return result;
    await sleep(everyMs);
  }
}

function refusal({ code, failure }: ToolResult, args: readonly string[]): ExitError {
  return new ExitError(EXIT.failure, `launchd refused (${code ?? 'no code'}): ${failure ?? ''}`, {
    hint: `Run it by hand: launchctl ${args.join(' ')}`,
  });
}

/** In the output of `launchctl print-disabled`; older systems write true for disabled. */
export function isDisabled(output: string, label: string): boolean {
  return output.split('\n').some((line) => {
    const [, name, word] = /^\s*"([^"]+)"\s*=>\s*(\w+)/.exec(line) ?? [];
    return name === label && (word === 'disabled' || word === 'true');
  });
}

/** What `launchctl print` says of a service; its text is the same in every language. */
export function parsePrint({ code, output, failure }: ToolResult): ServiceRun {
  if (ABSENT_CODES.has(code)) return { state: 'stopped', pid: null, lastExitCode: null, detail: 'not loaded' };
  if (code !== 0) return { state: 'unknown', pid: null, lastExitCode: null, detail: failure ?? '' };
  // Blocks of other things are indented deeper.
  const field = (key: string): string | undefined => new RegExp(`^\\t${key} = (.*)$`, 'm').exec(output)?.[1]?.trim();
  const state = field('state') ?? 'unknown';
  const pid = Number(field('pid') ?? Number.NaN);
  const exit = Number.parseInt(field('last exit code') ?? '', 10);
  return {
    state: pid > 0 ? 'running' : (STATES[state] ?? 'stopped'),
    pid: pid > 0 ? pid : null,
    lastExitCode: Number.isNaN(exit) ? null : exit,
    detail: state,
  };
}

const STATES: Readonly<Record<string, ServiceRun['state']>> = {
  running: 'running',
  'spawn scheduled': 'starting',
  waiting: 'stopped',
  'not running': 'stopped',
  exited: 'stopped',
};
