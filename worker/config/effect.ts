/**
 * What a change of a setting takes: `live` is done at once; `restart` replaces the worker while the old one serves on; `start` needs
 * the gateway stopped and started, because the supervisor holds the sockets.
 */
export type Effect = 'live' | 'restart' | 'start';

export type PlannedChange = { path: string; effect: Effect };

/** The longest prefix decides; what is not named takes a restart, which is right for everything. */
const EFFECTS: ReadonlyMap<string, Effect> = new Map([
  ['$schema', 'live'],
  ['logging.level', 'live'],
  ['gateway.auth.token', 'live'],
  ['gateway.auth.password', 'live'],
  ['gateway.auth.rotationGrace', 'live'],
  ['gateway.bind', 'start'],
  ['gateway.host', 'start'],
  ['gateway.customBindHost', 'start'],
  ['gateway.port', 'start'],
  // Read for each turn and each message.
  ['agents', 'live'],
  ['agents.maxConcurrentTurns', 'restart'],
  ['session', 'live'],
]);

/** What each changed path takes. */
export function planChanges(paths: readonly string[]): PlannedChange[] {
  return paths.map((path) => ({ path, effect: effectOf(path.split('.')) }));
}

function effectOf(keys: readonly string[]): Effect {
  if (keys.length === 0) return 'restart';
  return EFFECTS.get(keys.join('.')) ?? effectOf(keys.slice(0, -1));
}
