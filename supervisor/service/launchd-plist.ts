import { join } from 'node:path';
import type { InstalledService } from './contract.ts';
import type { ServiceDefinition } from './definition.ts';
import { launcherPath } from './launcher.ts';
import { escapeXml, unescapeXml } from './xml-text.ts';

/** `ai.xopc.gateway`, with the end of the service's name when it has one. launchd wants it as the name of the file, too. */
export function launchdLabel(name: string): string {
  return name.replace(/^xopc-gateway-?/, 'ai.xopc.gateway.').replace(/\.$/, '');
}

/** The property list of the service. Source of each key: launchd.plist(5). It expands neither `~` nor variables. */
export function renderPlist(definition: ServiceDefinition): string {
  const { name, scope, user, home, node, entry, args, environment, stateDir, serviceDir, logsDir } = definition;
  const lines = dictionary({
    Label: launchdLabel(name),
    ...(scope === 'system' ? { UserName: user } : {}),
    ProgramArguments: ['/bin/sh', launcherPath(serviceDir), node, entry, ...args],
    WorkingDirectory: stateDir,
    EnvironmentVariables: { HOME: home, ...environment, XOPC_SERVICE_MARKER: 'launchd' },
    RunAtLoad: true,
    // Our own codes for what needs a person become 0 under launchd, so that nothing spins (LOOP-1).
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: 10,
    ExitTimeOut: Math.ceil(definition.stopTimeoutMs / 1_000),
    ProcessType: 'Interactive',
    // 0077 in the number system that a property list has.
    Umask: 63,
    // The gateway keeps its own log; here is what a dying process says.
    StandardOutPath: '/dev/null',
    StandardErrorPath: join(logsDir, 'service.err.log'),
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    ...lines,
    '</plist>',
    '',
  ].join('\n');
}

type Value = string | number | boolean | readonly string[] | { readonly [key: string]: Value };

function dictionary(values: { readonly [key: string]: Value }): string[] {
  const entries = Object.entries(values).flatMap(([key, value]) => [`<key>${escapeXml(key)}</key>`, ...element(value)]);
  return ['<dict>', ...entries.map((line) => `  ${line}`), '</dict>'];
}

function element(value: Value): string[] {
  if (typeof value === 'string') return [`<string>${escapeXml(value)}</string>`];
  if (typeof value === 'number') return [`<integer>${value}</integer>`];
  if (typeof value === 'boolean') return [`<${value}/>`];
  if (isList(value)) return ['<array>', ...value.map((item) => `  <string>${escapeXml(item)}</string>`), '</array>'];
  return dictionary(value);
}

function isList(value: Value): value is readonly string[] {
  return Array.isArray(value);
}

/** What a property list of ours starts, with which variables. Undefined when it starts something else. */
export function parsePlist(text: string): InstalledService | undefined {
  const program = /<key>ProgramArguments<\/key>\s*<array>([\s\S]*?)<\/array>/.exec(text)?.[1] ?? '';
  const words = [...program.matchAll(/<string>([^<]*)<\/string>/g)].map(([, word = '']) => unescapeXml(word));
  const [, launcher, node, entry, ...args] = words;
  if (launcher === undefined || node === undefined || entry === undefined) return undefined;
  const variables = /<key>EnvironmentVariables<\/key>\s*<dict>([\s\S]*?)<\/dict>/.exec(text)?.[1] ?? '';
  const pairs = [...variables.matchAll(/<key>([^<]*)<\/key>\s*<string>([^<]*)<\/string>/g)];
  const environment = Object.fromEntries(
    pairs.map(([, key = '', value = '']) => [unescapeXml(key), unescapeXml(value)]),
  );
  return { launcher, node, entry, args, environment, hasSocket: false };
}
