/** What the commands about the service say, in English. A key with a hyphen is the code of a finding; with `.fix` behind it, what to do. */
export const serviceEn = {
  'version-mismatch': 'The service was installed by version {installed}, and this is {current}.',
  'version-mismatch.fix': 'Run: xopc gateway service install',
  'token-drift': 'Token drift: the token of the service ({service}) is not the one of the configuration ({config}).',
  'token-drift.fix':
    'Run `xopc gateway service install --force` to sync, and remove XOPC_GATEWAY_TOKEN from service/gateway.env.',
  'token-exposed': 'The token stands in {file}, where others may read it.',
  'token-exposed.fix': 'Run: xopc gateway service install --force',
  'missing-program': 'The service cannot start: {path} is gone.',
  'missing-program.fix': 'Run: xopc gateway service install',
  'missing-node': 'The Node.js of the service is gone: {path}. Another one is taken as long as there is one.',
  'missing-node.fix': 'Run: xopc gateway service install',
  'port-mismatch': 'The service listens on port {service}, and the configuration says {config}.',
  'port-mismatch.fix': 'Set gateway.port in the configuration and run: xopc gateway service install',
  'linger-off': 'The service ends when {user} logs out, and does not start at boot: lingering is off.',
  'linger-off.fix': 'Run: sudo loginctl enable-linger {user}',
  'not-enabled': 'The service does not start by itself: it is disabled.',
  'not-enabled.fix': 'Run: xopc gateway service start',
  'unit-changed': '{file} is not as it was installed.',
  'unit-changed.fix':
    'Run `xopc gateway service install`; put changes of your own into a drop-in: systemctl --user edit',
  'unit-foreign': '{file} was not written by this program.',
  'unit-foreign.fix': 'Move it away, then run: xopc gateway service install',

  noManager: 'There is no service for this operating system.',
  noManagerHint: 'Let its own service manager run this in the foreground: xopc gateway',
  noSystemd: 'This machine is not run by systemd ({detail}), so there is nobody to run a service.',
  noSystemdHint:
    'In a container, make `xopc gateway` its command, with an init and a restart policy (docker run --init --restart unless-stopped). ' +
    'Elsewhere, let the service manager of the machine run `xopc gateway`; its supervisor restarts what fails inside.',
  noUserBus: 'The systemd of {user} cannot be reached: {detail}',
  noUserBusHint:
    'One of these helps:\n' +
    '  1. Let it run without a log-in, then try again: sudo loginctl enable-linger {user}\n' +
    '     (or log in as {user} over ssh or at the console, not by su or sudo)\n' +
    '  2. Install a service of the whole machine: xopc gateway service install --system\n' +
    '  3. Run it in the foreground under whatever you have: xopc gateway',
  noDesktop: 'launchd has no session for this user: {detail}',
  noDesktopHint:
    'One of these helps:\n' +
    '  1. Log in once at the screen of this Mac, then try again\n' +
    '  2. Install a daemon of the whole machine: xopc gateway service install --system\n' +
    '  3. Run it in the foreground: xopc gateway',
  noScheduler: 'The task scheduler of Windows cannot be used: {detail}',
  noSchedulerHint: 'See whether its service "Schedule" runs, or run the gateway in the foreground: xopc gateway',
  noSystemScope: 'There is no service of the whole machine for this operating system.',
  systemPrepared:
    'The service of the whole machine is prepared; it will run as {user}. Its administrator installs it with:',
  otherGateway: 'A gateway (PID {pid}) already runs with this configuration, outside of the service.',
  otherGatewayHint: 'Stop it, then try again: xopc gateway stop',
  socketNeedsPort: '--socket needs a port: gateway.port is 0.',
  weakToken: 'The token is too weak: it {weakness}.',
  weakTokenHint: 'Leave --token away and one is made, or make one: openssl rand -hex 24',
  tokenUnused: 'The gateway does not use a token (gateway.auth.mode is "{mode}").',
  tokenElsewhere:
    'Another token counts: that of gateway.auth.token in {path}, or of XOPC_GATEWAY_TOKEN in service/gateway.env.',
  tokenElsewhereHint: 'Change it there, or remove it there and try again.',
  envFileHeader:
    'Variables for the service of the gateway, as NAME=value lines, read at its start. It has none of your shell.',
  envFileHint: 'Variables for the service, such as the keys of model providers: {path}',
  envFileKept: 'Your variables stay: {path}',
  lingerKept: 'Lingering stays on for your other services; to end it: loginctl disable-linger',
  manageHint: 'xopc gateway status | stop | restart | logs, xopc gateway service status',
  installHint: 'Run: xopc gateway service install',
  endFailed: 'The gateway (PID {pid}) was told to end, but has not.',
  stepWrite: 'Writing {path}',
  stepStart: 'Starting the service',
  stepWait: 'Waiting until the gateway serves',
  stepRemove: 'Stopping and removing the service',
  installed: 'The service {name} is installed and serves',
  updated: 'The service {name} is updated and serves',
  unchanged: 'The service {name} was already installed and serves',
  notProven: 'The service {name} is installed, but not everything holds:',
  notInstalled: 'The service {name} is not installed.',
  repairNeeded: 'The service {name} cannot be started: a file of it is gone or was changed.',
  startFailed: 'The service was started, but does not serve: {reason}',
  started: 'The service {name} has started (PID {pid})',
  alreadyRunning: 'The service {name} already runs (PID {pid})',
  uninstalled: 'The service {name} is removed',
  statusLine: 'Service {name} ({kind}): {detail}',
  proofYes: 'yes',
  proofNo: 'no',
  proofNote: 'note',
  proofLogs: 'See: xopc gateway logs',
  proofHealthy: '{url} answers, version {version}',
  proofEnabled: 'it starts by itself',
  proofLogout: 'it lives on',
  proofReboot: 'it starts before anybody logs in',
  proofNoReboot: 'it starts only when somebody logs in',
  proofLogInOnly: 'it runs while you are logged in; for more: xopc gateway service install --system',
  proofNodeManager: '{path} belongs to {manager}; when that version is removed, the newest other Node.js is taken',
  proofSecret: 'no file of the service holds the token',
  checkInstalled: 'Installed',
  checkRunning: 'Running',
  checkHealthy: 'Serves',
  checkEnabled: 'Enabled',
  checkLogout: 'After a log-out',
  checkReboot: 'After a boot',
  checkNode: 'Node.js',
  checkSecret: 'Secrets',
} as const;

export type ServiceMessages = Readonly<Record<keyof typeof serviceEn, string>>;
