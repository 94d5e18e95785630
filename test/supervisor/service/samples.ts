import type { ServiceDefinition } from '../../../supervisor/service/definition.ts';

/** A definition as an ordinary installation makes it. */
export function definitionOf(changes: Partial<ServiceDefinition> = {}): ServiceDefinition {
  return {
    name: 'xopc-gateway',
    scope: 'user',
    user: 'ada',
    home: '/home/ada',
    version: '1.2.3',
    node: '/usr/bin/node',
    entry: '/usr/lib/node_modules/@xopcai/gateway/dist/bin/xopc.js',
    args: ['gateway', '--config', '/home/ada/.xopc/xopc.json', '--env-file', '/home/ada/.xopc/service/gateway.env'],
    environment: {
      XOPC_HOME: '/home/ada/.xopc',
      XOPC_STATE_DIR: '/home/ada/.xopc',
      XOPC_SERVICE_VERSION: '1.2.3',
      XOPC_LOG_CONSOLE: 'false',
    },
    stateDir: '/home/ada/.xopc',
    serviceDir: '/home/ada/.xopc/service',
    logsDir: '/home/ada/.xopc/logs',
    stopTimeoutMs: 40_000,
    hasNotify: true,
    sockets: [],
    ...changes,
  };
}

/** Names that mean something to systemd, to XML, to a shell or to Windows. */
export const ODD_NAMES = [
  'with blank',
  'with "quotes" and \'more\'',
  'back\\slash\\',
  '100 %n %% $HOME \x24{HOME} $$',
  '<a> & b; c `d` #e !f',
  '网关 é',
  ' ends with blank ',
];

/** The definition with every path below an odd folder. */
export function oddDefinition(folder: string): ServiceDefinition {
  const place = `/srv/${folder}`;
  return definitionOf({
    ...{ node: `${place}/node`, entry: `${place}/xopc.js`, stateDir: place, logsDir: `${place}/logs` },
    serviceDir: `${place}/service`,
    args: ['gateway', '--config', `${place}/xopc.json`, '--env-file', `${place}/service/gateway.env`],
    environment: { XOPC_HOME: place, XOPC_STATE_DIR: place, XOPC_SERVICE_VERSION: '1.2.3' },
  });
}
