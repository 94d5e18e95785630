/**
 * What a change of a setting takes: `live` is done at once; `restart` replaces the worker while the old one serves on; `start` needs
 * the gateway stopped and started, because the supervisor holds the sockets.
 */
export type Effect = 'live' | 'restart' | 'start';

export type PlannedChange = { path: string; effect: Effect };

/** The longest prefix decides; what is not named takes a restart, which is right for everything. */
const EFFECTS: readonly [prefix: string, effect: Effect][] = [
  ['$schema', 'live'],
  ['logging.level', 'live'],
  ['gateway.auth.token', 'live'],
  ['gateway.auth.password', 'live'],
  ['gateway.auth.rotationGrace', 'live'],
  ['gateway.bind', 'start'],
  ['gateway.host', 'start'],
  ['gateway.customBindHost', 'start'],
  ['gateway.port', 'start'],
];

/** What each changed path takes. */
export function planChanges(paths: readonly string[]): PlannedChange[] {
  return paths.map((path) => ({ path, effect: effectOf(path) }));
}

function effectOf(path: string): Effect {
  const found = EFFECTS.find(([prefix]) => path === prefix || path.startsWith(`${prefix}.`));
  return found?.[1] ?? 'restart';
}
