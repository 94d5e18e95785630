import type { Config } from '../../lib/config/schema.ts';
import type { Environment } from '../../lib/env.ts';
import type { WorkerOverrides } from '../../lib/ipc.ts';
import type { Logger } from '../../lib/log.ts';
import type { Paths } from '../../lib/paths.ts';
import type { Redactor } from '../../lib/redact.ts';
import { resolveCredential } from '../credential.ts';
import type { EventHub } from '../events.ts';
import type { LiveApp } from '../live-app.ts';
import { type ConfigFile, createConfigFile } from './file.ts';
import type { LiveConfig } from './live-config.ts';
import { createReloader } from './reload.ts';

export type KeepCurrentOptions = {
  live: LiveConfig;
  env: Environment;
  paths: Paths;
  overrides: WorkerOverrides;
  redactor: Redactor;
  events: EventHub;
  log: Logger;
  isLoopback: boolean;
  /** The application whose credential changes; asked for late, because it is built with what this returns. */
  app(): Pick<LiveApp, 'rotate'>;
  /** Throws for settings that no service could be built with. */
  verifyServices(config: Config): void;
  requestRestart(reason: string): void;
  /** Says what needs a person, in the owner's own chat. */
  tellOwner(text: string): void;
};

export type CurrentConfig = {
  file: ConfigFile;
  /** Takes up what changed since the start, and follows the file from now on. Returns what ends that. */
  follow(): Promise<() => void>;
};

/** What keeps a worker and its configuration file together. */
export function keepConfigCurrent(options: KeepCurrentOptions): CurrentConfig {
  const { live, paths, redactor, log } = options;
  const verify = (next: Config): void => {
    resolveCredential({ ...options, config: next });
    options.verifyServices(next);
  };
  const reloader = createReloader({
    ...options,
    verify,
    applyLive(next, previous) {
      log.level(next.logging.level);
      const { token, password, rotationGrace } = next.gateway.auth;
      if (token === previous.gateway.auth.token && password === previous.gateway.auth.password) return;
      const credential = resolveCredential({ ...options, config: next });
      if (credential.mode !== 'none') redactor.add(credential.secret);
      options.app().rotate(credential, rotationGrace);
    },
  });
  return {
    file: createConfigFile({ ...options, verify, reloader }),
    async follow() {
      reloader.check();
      if (!live.view.gateway.enableHotReload) return () => undefined;
      const { watchFile } = await import('./watch.ts');
      return watchFile(paths.configPath, () => void reloader.check(), log);
    },
  };
}
