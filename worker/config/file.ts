import { type Backup, listBackups, readBackup, revisionOf } from '../../lib/config/backups.ts';
import { listChangedPaths } from '../../lib/config/diff.ts';
import { applyMergePatch, readJson } from '../../lib/config/edit-text.ts';
import { ConfigError } from '../../lib/config/load.ts';
import { type LockedSetting, listLockedSettings } from '../../lib/config/overrides.ts';
import type { Config } from '../../lib/config/schema.ts';
import { describeSecret, mapSecrets, restoreSecrets } from '../../lib/config/secrets.ts';
import { ConfigRefused, type ConfigWrite, writeConfig } from '../../lib/config/write.ts';
import type { Environment } from '../../lib/env.ts';
import { type FieldProblem, GatewayError } from '../../lib/errors.ts';
import { readTextIfExists } from '../../lib/fs.ts';
import type { WorkerOverrides } from '../../lib/ipc.ts';
import type { Logger } from '../../lib/log.ts';
import type { Paths } from '../../lib/paths.ts';
import type { PlannedChange } from './effect.ts';
import type { Reloader, ReloadView } from './reload.ts';

export type ConfigFileOptions = {
  paths: Pick<Paths, 'configPath' | 'backupsDir'>;
  env: Environment;
  overrides: WorkerOverrides;
  verify(config: Config): void;
  reloader: Reloader;
  log: Logger;
};

/** How a change is to be made: on which revision, and whether credentials may go. */
export type ChangeOptions = { expected: string | undefined; allowsLoss: boolean };

export type Changed = { revision: string; changes: PlannedChange[]; problems: FieldProblem[] };

/** The configuration file as the API shows and changes it. What is thrown is a GatewayError fit for the caller. */
export type ConfigFile = {
  /** What the file says, nothing expanded, every credential replaced by what `describeSecret` tells. */
  read(): { config: Record<string, unknown>; revision: string; locked: LockedSetting[] } & ReloadView;
  /** Applies a merge patch (RFC 7396), and what follows from it. */
  patch(patch: Record<string, unknown>, options: ChangeOptions): Promise<Changed>;
  revisions(): Backup[];
  restore(id: number, options: ChangeOptions): Promise<Changed>;
};

/** Opens the configuration file for the API. */
export function createConfigFile(options: ConfigFileOptions): ConfigFile {
  const { paths, env, overrides, reloader } = options;
  return {
    read() {
      const text = readTextIfExists(paths.configPath) ?? '';
      const config = Object.fromEntries(
        Object.entries(parse(text)).map(([key, value]) => [key, mapSecrets(value, describeSecret, [key])]),
      );
      return { config, revision: revisionOf(text), locked: listLockedSettings(env, overrides), ...reloader.view() };
    },
    patch: (patch, how) =>
      write(options, how, {
        change(current) {
          const next = applyMergePatch(current, restoreSecrets(patch, current)) as Record<string, unknown>;
          assertUnlocked(options, listChangedPaths(current, next));
          return next;
        },
      }),
    revisions: () => listBackups(paths),
    restore(id, how) {
      const text = readBackup(paths, id);
      if (text === undefined) throw new GatewayError('NOT_FOUND', `There is no revision ${id} any more.`);
      return write(options, how, { text });
    },
  };
}

/** A file that is no JSON is shown as empty; `problems` says what is wrong with it. */
function parse(text: string): Record<string, unknown> {
  try {
    return readJson(text);
  } catch {
    return {};
  }
}

function assertUnlocked({ env, overrides }: ConfigFileOptions, changed: readonly string[]): void {
  for (const { path, by } of listLockedSettings(env, overrides)) {
    if (changed.some((key) => key === path || path.startsWith(`${key}.`)))
      throw new GatewayError(
        'CONFLICT',
        `${path} is decided by ${by}; change or remove that, and restart the gateway.`,
      );
  }
}

type Content = Pick<Extract<ConfigWrite, { change: unknown }>, 'change'> | { text: string };

async function write(options: ConfigFileOptions, how: ChangeOptions, content: Content): Promise<Changed> {
  const { paths, env, overrides, verify, reloader, log } = options;
  const { expected, allowsLoss } = how;
  try {
    const written = await writeConfig({
      ...{ paths, env, overrides, verify, allowsLoss, ...content },
      ...(expected === undefined ? {} : { expected }),
    });
    log.info({ actor: 'api', paths: written.changed, revision: written.revision }, 'Configuration written');
    return { revision: written.revision, changes: reloader.check(), problems: [...written.problems] };
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
  if (error instanceof ConfigError)
    return new GatewayError('INVALID_REQUEST', error.message, { cause: error, details: error.problems });
  if (!(error instanceof ConfigRefused)) return error;
  const advice = {
    conflict: ' Read it again and repeat the change.',
    loss: ' Add ?confirm_loss=true.',
    unwritable: '',
    broken: '',
  }[error.reason];
  return new GatewayError('CONFLICT', `${error.message}${advice}`, { cause: error });
}
