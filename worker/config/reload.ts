import { keepLastGood, revisionOf } from '../../lib/config/backups.ts';
import { listChangedPaths } from '../../lib/config/diff.ts';
import { ConfigError, readConfig } from '../../lib/config/load.ts';
import type { Config } from '../../lib/config/schema.ts';
import type { Environment } from '../../lib/env.ts';
import { errorMessage, type FieldProblem } from '../../lib/errors.ts';
import { readTextIfExists } from '../../lib/fs.ts';
import type { WorkerOverrides } from '../../lib/ipc.ts';
import type { Logger } from '../../lib/log.ts';
import type { Paths } from '../../lib/paths.ts';
import type { EventHub } from '../events.ts';
import { type PlannedChange, planChanges } from './effect.ts';
import type { LiveConfig } from './live-config.ts';

export type ReloadOptions = {
  /** What the worker runs with. */
  live: LiveConfig;
  paths: Pick<Paths, 'configPath' | 'backupsDir'>;
  env: Environment;
  overrides: WorkerOverrides;
  events: Pick<EventHub, 'publish'>;
  log: Logger;
  /** Throws when a configuration that is valid cannot be used all the same. */
  verify(config: Config): void;
  /** Does what can be done at once. Throws when it cannot, with everything as before. */
  applyLive(config: Config, previous: Config): void;
  requestRestart(reason: string): void;
  /** Says what needs a person, in the owner's own chat. */
  tellOwner(text: string): void;
};

/** How the file and what runs stand to each other. */
export type ReloadView = {
  /** What waits for a restart of the worker, or for a stop and start of the gateway. */
  pending: PlannedChange[];
  /** Why the file is not used as it is; empty when it is. */
  problems: FieldProblem[];
};

export type Reloader = {
  /** Reads the file; applies what is new in it. Returns what changed since it was read last. Never throws for its content. */
  check(): PlannedChange[];
  view(): ReloadView;
};

/**
 * Keeps what runs and the file together (CFG-5): validates the whole, then applies live what can be, and has the worker replaced
 * for the rest, the old one serving until the new one does. A file with a fault changes nothing.
 */
export function createReloader(options: ReloadOptions): Reloader {
  const { live, paths, events, log } = options;
  /** The last file that was fit for use. */
  let wanted = live.current();
  let seen: string | undefined;
  let problems: readonly FieldProblem[] = [];

  function refuse(found: readonly FieldProblem[]): PlannedChange[] {
    problems = found;
    log.error({ problems }, 'The changed configuration is not used: it has faults. The gateway goes on as it was');
    events.publish('config.reload', { ok: false, problems });
    options.tellOwner(`The changed configuration is not used: ${describeProblems(problems)}`);
    return [];
  }

  function accept(next: Config, text: string): PlannedChange[] {
    const changes = planChanges(listChangedPaths(wanted, next));
    const now = changes.filter(({ effect }) => effect === 'live').map(({ path }) => path);
    if (now.length > 0) {
      options.applyLive(next, live.current());
      live.take(next, now);
    }
    wanted = next;
    problems = [];
    if (listPending(live.current(), wanted).length === 0) keepLastGood(paths, text);
    announce(options, changes);
    return changes;
  }

  return {
    check() {
      const text = readTextIfExists(paths.configPath) ?? '';
      const revision = revisionOf(text);
      if (revision === seen) return [];
      seen = revision;
      try {
        const { config } = readConfig(text === '' ? undefined : text, paths.configPath, options.env, options.overrides);
        options.verify(config);
        return accept(config, text);
      } catch (error) {
        return refuse(
          error instanceof ConfigError ? error.problems : [{ path: '(config)', message: errorMessage(error) }],
        );
      }
    },
    view: () => ({ pending: listPending(live.current(), wanted), problems: [...problems] }),
  };
}

function describeProblems(problems: readonly FieldProblem[]): string {
  return problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
}

function listPending(active: Config, wanted: Config): PlannedChange[] {
  return planChanges(listChangedPaths(active, wanted)).filter(({ effect }) => effect !== 'live');
}

function announce({ events, log, requestRestart }: ReloadOptions, changes: readonly PlannedChange[]): void {
  const pathsOf = (effect: PlannedChange['effect']): string[] =>
    changes.filter((change) => change.effect === effect).map(({ path }) => path);
  const live = pathsOf('live');
  for (const section of new Set(live.map((path) => path.split('.')[0]))) {
    const paths = live.filter((path) => path.split('.')[0] === section);
    log.info({ paths }, 'Configuration applied');
    events.publish('config.reload', { ok: true, section, paths });
  }
  const later = [...pathsOf('restart'), ...pathsOf('start')];
  if (later.length > 0)
    events.publish('config.reload', { ok: true, section: 'full', requiresRestart: true, paths: later });
  const held = pathsOf('start');
  if (held.length > 0)
    log.warn({ paths: held }, 'These settings take effect when the gateway is stopped and started again');
  if (pathsOf('restart').length > 0) requestRestart(`the configuration was changed: ${pathsOf('restart').join(', ')}`);
}
