import { describe, expect, it } from 'vitest';
import { launchdLabel, parsePlist, renderPlist } from '../../../supervisor/service/launchd-plist.ts';
import { definitionOf, ODD_NAMES, oddDefinition } from './samples.ts';
import { type Element, readXml } from './xml-reader.ts';

/** Of launchd.plist(5): an unknown key is passed over in silence, so that a misspelt one would have no effect. */
const KNOWN_KEYS = [
  'Label',
  'UserName',
  'ProgramArguments',
  'EnvironmentVariables',
  'WorkingDirectory',
  'RunAtLoad',
  'KeepAlive',
  'ThrottleInterval',
  'ExitTimeOut',
  'ProcessType',
  'Umask',
  'StandardOutPath',
  'StandardErrorPath',
];

describe('renderPlist', () => {
  it('says to launchd what the manual promises', () => {
    expect(readPlist(renderPlist(definitionOf({ home: '/Users/ada' })))).toEqual({
      Label: 'ai.xopc.gateway',
      ProgramArguments: [
        ...['/bin/sh', '/home/ada/.xopc/service/start.sh', '/usr/bin/node'],
        ...[definitionOf().entry, ...definitionOf().args],
      ],
      WorkingDirectory: '/home/ada/.xopc',
      EnvironmentVariables: {
        HOME: '/Users/ada',
        XOPC_HOME: '/home/ada/.xopc',
        XOPC_STATE_DIR: '/home/ada/.xopc',
        XOPC_SERVICE_VERSION: '1.2.3',
        XOPC_LOG_CONSOLE: 'false',
        XOPC_SERVICE_MARKER: 'launchd',
      },
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 10,
      ExitTimeOut: 40,
      ProcessType: 'Interactive',
      Umask: 0o077,
      StandardOutPath: '/dev/null',
      StandardErrorPath: '/home/ada/.xopc/logs/service.err.log',
    });
  });

  it('is a document as Apple describes it', () => {
    expect(renderPlist(definitionOf()).split('\n').slice(0, 4)).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
      '<plist version="1.0">',
      '<dict>',
    ]);
  });

  it('of the whole machine names its account', () => {
    expect(readPlist(renderPlist(definitionOf({ scope: 'system' })))).toMatchObject({ UserName: 'ada' });
  });

  it.each(ODD_NAMES)('keeps a folder called %j as it is', (folder) => {
    const definition = oddDefinition(folder);
    expect(readPlist(renderPlist(definition))).toMatchObject({
      ProgramArguments: expect.arrayContaining([definition.node, definition.entry, ...definition.args]),
      WorkingDirectory: definition.stateDir,
    });
  });

  it('uses known keys only', () => {
    expect(KNOWN_KEYS).toEqual(
      expect.arrayContaining(Object.keys(readPlist(renderPlist(definitionOf({ scope: 'system' }))))),
    );
  });
});

describe('parsePlist', () => {
  it.each(['plain', ...ODD_NAMES])('reads back what was written for a folder called %j', (folder) => {
    const { node, entry, args, environment, serviceDir, home } = oddDefinition(folder);
    expect(parsePlist(renderPlist(oddDefinition(folder)))).toEqual({
      ...{ node, entry, args, hasSocket: false, launcher: `${serviceDir}/start.sh` },
      environment: { HOME: home, ...environment, XOPC_SERVICE_MARKER: 'launchd' },
    });
  });

  it('finds nothing of ours in another one', () => {
    expect(parsePlist('<plist version="1.0"><dict></dict></plist>')).toBeUndefined();
  });
});

describe('launchdLabel', () => {
  it.each([
    ['xopc-gateway', 'ai.xopc.gateway'],
    ['xopc-gateway-0a1b2c3d', 'ai.xopc.gateway.0a1b2c3d'],
  ])('of %s is %s', (name, label) => {
    expect(launchdLabel(name)).toBe(label);
  });
});

type Value = string | number | boolean | Value[] | { [key: string]: Value };

function readPlist(text: string): Record<string, Value> {
  const { name, children } = readXml(text);
  const value = name === 'plist' && children.length === 1 ? toValue(children[0] ?? fault('empty')) : fault(name);
  return typeof value === 'object' && !Array.isArray(value) ? value : fault('no dictionary');
}

function toValue({ name, text, children }: Element): Value {
  switch (name) {
    case 'string':
      return text;
    case 'integer':
      return /^-?\d+$/.test(text) ? Number(text) : fault(text);
    case 'true':
    case 'false':
      return name === 'true';
    case 'array':
      return children.map(toValue);
    case 'dict':
      return toDictionary(children);
    default:
      return fault(name);
  }
}

function toDictionary(children: readonly Element[]): Record<string, Value> {
  const values = new Map<string, Value>();
  for (let index = 0; index < children.length; index += 2) {
    const [key, value] = [children[index], children[index + 1]];
    if (key?.name !== 'key' || value === undefined || values.has(key.text)) return fault(`key ${index}`);
    values.set(key.text, toValue(value));
  }
  return Object.fromEntries(values);
}

function fault(what: string): never {
  throw new Error(`not a property list: ${what}`);
}
