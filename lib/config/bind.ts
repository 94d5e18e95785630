import type { BindMode } from '../net.ts';

type BindSettings = { bind?: string | undefined; host?: string | undefined; customBindHost?: string | undefined };

/** The bind mode that the settings ask for; `host` is the older spelling of the other two (SPEC 2). Undefined when they contradict each other. */
export function resolveBind(settings: BindSettings): { mode: BindMode; customHost?: string } | undefined {
  const legacy = settings.host === undefined ? undefined : readLegacyHost(settings.host);
  const mode = settings.bind as BindMode | undefined;
  if (legacy === undefined) {
    if (mode === 'custom' && settings.customBindHost === undefined) return undefined;
    return settings.customBindHost === undefined
      ? { mode: mode ?? 'loopback' }
      : { mode: mode ?? 'loopback', customHost: settings.customBindHost };
  }
  if (mode !== undefined && mode !== legacy.mode) return undefined;
  if (settings.customBindHost !== undefined && settings.customBindHost !== legacy.customHost) return undefined;
  return legacy;
}

function readLegacyHost(host: string): { mode: BindMode; customHost?: string } {
  if (['127.0.0.1', 'localhost', '::1'].includes(host)) return { mode: 'loopback' };
  if (['0.0.0.0', '::'].includes(host)) return { mode: 'lan' };
  return { mode: 'custom', customHost: host };
}
