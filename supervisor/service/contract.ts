import type { ServiceDefinition } from './definition.ts';

export type ServiceKind = 'systemd' | 'launchd' | 'schtasks';

/** A file of a service, whole; bytes where the system wants another encoding than UTF-8. */
export type ServiceFile = { path: string; content: string | Buffer };

/** What an installed definition says. */
export type InstalledService = {
  launcher: string;
  node: string;
  entry: string;
  args: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** The service manager holds its sockets. */
  hasSocket: boolean;
};

/** How the manager sees the service. `given-up`: it will not be started again without a person. */
export type ServiceRun = {
  state: 'running' | 'starting' | 'stopped' | 'given-up' | 'unknown';
  pid: number | null;
  lastExitCode: number | null;
  /** In the manager's own words. */
  detail: string;
};

/** Whether it lives on when its user logs out. `log-in-only`: it is meant to end then, on this system. */
export type Lasting = 'yes' | 'no' | 'log-in-only';

/** Why this user cannot have a service here, with the system's words. */
export type Obstacle = { code: 'no-systemd' | 'no-user-bus' | 'no-desktop' | 'no-scheduler'; detail: string };

/** One service manager, for the service of one definition. What changes something throws an `ExitError` 1 with the system's words. */
export type ServiceManager = {
  readonly kind: ServiceKind;
  /** The file that a person may look at. */
  readonly mainFile: string;
  /** Every file as it should be. Pure. */
  render(definition: ServiceDefinition): ServiceFile[];
  /** The definition that is installed, as far as it can be read; undefined when none is. Reads files only. */
  read(): { text: string; parsed: InstalledService | undefined } | undefined;
  isEnabled(): Promise<boolean>;
  survivesLogout(): Lasting;
  findObstacle(): Promise<Obstacle | null>;
  /** Makes the written files known, so that it starts with the next log-in or boot. */
  enable(definition: ServiceDefinition): Promise<void>;
  /** Tries to let it live on after the log-out. Returns why that failed, or null. */
  keepAfterLogout(): Promise<string | null>;
  start(): Promise<void>;
  /** Also starts one that does not run. A new definition is read again where the manager keeps the old one. */
  restart(options: { hasNewDefinition: boolean }): Promise<void>;
  stop(options: { disable: boolean; timeoutMs?: number }): Promise<void>;
  look(): Promise<ServiceRun>;
  /** Forgets the service, which is stopped by then, and removes the files that `render` names. */
  remove(): Promise<void>;
};
