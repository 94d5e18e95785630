import type { InstalledService } from './contract.ts';
import type { ServiceDefinition } from './definition.ts';
import { launcherPath } from './launcher.ts';

/** The unit of the service. Source of each key: systemd.service(5), systemd.unit(5), systemd.kill(5), systemd.exec(5). */
export function renderUnit(definition: ServiceDefinition): string {
  const { scope, name, sockets } = definition;
  const isSystem = scope === 'system';
  const socket = `${name}.socket`;
  return section([
    '# Written by "xopc gateway service install", which replaces it. Changes of your own belong into a drop-in:',
    `# systemctl ${isSystem ? '' : '--user '}edit ${name}.service`,
    '[Unit]',
    'Description=xopc gateway',
    // The manager of a user knows no network: its units are started after the system's.
    ...(isSystem ? ['Wants=network-online.target', 'After=network-online.target'] : []),
    ...(sockets.length > 0 ? [`Requires=${socket}`, `After=${socket}`] : []),
    // With RestartSec=5 the default interval of 10 s would never be reached.
    'StartLimitIntervalSec=60',
    'StartLimitBurst=5',
    '',
    '[Service]',
    ...serviceLines(definition),
    '',
    '[Install]',
    `WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}`,
    ...(sockets.length > 0 ? [`Also=${socket}`] : []),
  ]);
}

function serviceLines(definition: ServiceDefinition): string[] {
  const { scope, user, node, entry, args, environment, stateDir, serviceDir, stopTimeoutMs, hasNotify } = definition;
  const command = ['/bin/sh', launcherPath(serviceDir), node, entry, ...args];
  const variables = Object.entries({ ...environment, XOPC_SERVICE_MARKER: 'systemd' });
  return [
    ...(hasNotify ? ['Type=notify', 'NotifyAccess=all', 'TimeoutStartSec=180', 'WatchdogSec=30'] : ['Type=simple']),
    // A stopped or hanging process would not act on the SIGABRT that is the default.
    ...(hasNotify ? ['WatchdogSignal=SIGKILL'] : []),
    ...(scope === 'system' ? [`User=${user}`] : []),
    `ExecStart=${command.map(quoteArgument).join(' ')}`,
    'ExecReload=/bin/sh -c "kill -USR1 $$MAINPID"',
    // It takes no quotes. The slash at the end keeps a last space or backslash; the dash: the folder may be made by the first start.
    `WorkingDirectory=-${stateDir.replaceAll('%', '%%')}/`,
    ...variables.map(([key, value]) => `Environment=${quote(`${key}=${value}`)}`),
    'Restart=always',
    'RestartSec=5',
    'RestartPreventExitStatus=78',
    'KillMode=mixed',
    `TimeoutStopSec=${Math.ceil(stopTimeoutMs / 1_000)}`,
    // The supervisor starts a new worker for one that the kernel ended.
    'OOMPolicy=continue',
    'UMask=0077',
    'NoNewPrivileges=yes',
    'LockPersonality=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'SystemCallArchitectures=native',
  ];
}

/** The sockets that the manager holds for the service, so that nobody is refused while it is replaced (SPEC 3.4). */
export function renderSocket({ name, scope, sockets }: ServiceDefinition): string {
  return section([
    '# Written by "xopc gateway service install --socket", which replaces it.',
    '[Unit]',
    'Description=Sockets of the xopc gateway',
    '',
    '[Socket]',
    ...sockets.map((address) => `ListenStream=${address}`),
    'Backlog=4096',
    'BindIPv6Only=ipv6-only',
    `Service=${name}.service`,
    '',
    '[Install]',
    `WantedBy=${scope === 'system' ? 'multi-user.target' : 'sockets.target'}`,
  ]);
}

function section(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

/** In `ExecStart=` a dollar begins a variable as well. */
function quoteArgument(text: string): string {
  return quote(text).replaceAll('$', '$$$$');
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}

/** What a unit of ours starts, with which variables. Undefined when it starts something else. */
export function parseUnit(text: string): InstalledService | undefined {
  const lines = text.split('\n');
  const start = splitWords(valuesOf(lines, 'ExecStart').at(-1) ?? '');
  const [, launcher, node, entry, ...args] = start.map((word) => word.replaceAll('$$', '$'));
  if (launcher === undefined || node === undefined || entry === undefined) return undefined;
  const words = valuesOf(lines, 'Environment').flatMap(splitWords);
  const environment = Object.fromEntries(
    words.map((word) => [word.split('=', 1)[0] ?? '', word.slice(word.indexOf('=') + 1)]),
  );
  const hasSocket = valuesOf(lines, 'Requires').some((value) => value.endsWith('.socket'));
  return { launcher, node, entry, args, environment, hasSocket };
}

function valuesOf(lines: readonly string[], key: string): string[] {
  return lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
}

/** The words as systemd would pass them on, for what `quote` writes and for plain words. */
function splitWords(line: string): string[] {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1'),
  );
  return words.map((word) => word.replaceAll('%%', '%'));
}
