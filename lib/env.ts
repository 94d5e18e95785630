/** Environment variables by name; the one place that reads `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A copy of the process's environment. Empty values count as unset. */
export function readEnvironment(): Environment {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && value !== '') values[name] = value;
  }
  return values;
}

/** True when the named switch is on: `1`, `true`, `yes` or `on` in any case. */
export function isEnabled(env: Environment, name: string): boolean {
  return ['1', 'true', 'yes', 'on'].includes((env[name] ?? '').toLowerCase());
}

/** The service manager that started us, from `XOPC_SERVICE_MARKER` (set by our own units only); undefined when none. */
export function serviceMarker(env: Environment): string | undefined {
  return env['XOPC_SERVICE_MARKER'];
}
