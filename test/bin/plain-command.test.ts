import { describe, expect, it } from 'vitest';
import { readPlainCommand } from '../../bin/plain-command.ts';
import { runCommand } from './run-command.ts';

const split = (line: string): string[] => line.split(' ');

describe('a plain command line', () => {
  it.each([
    ['gateway', 'start', {}],
    ['gateway --port 18790 --force', 'start', { port: '18790', force: true }],
    ['gateway --config /c.json --env-file /e --token -', 'start', { config: '/c.json', envFile: '/e', token: '-' }],
    ['gateway --port 1 --port 2', 'start', { port: '2' }],
    ['gateway status', 'status', { probe: true, json: false }],
    ['gateway status --json --no-probe', 'status', { probe: false, json: true }],
  ] as const)('is read without a parser: %s', (line, name, options) => {
    expect(readPlainCommand(split(line))).toEqual({ name, options });
  });

  it.each([
    '--lang en gateway',
    '--version',
    'gateway --help',
    'gateway --port',
    'gateway --port --force',
    'gateway --port=1',
    'gateway --bind lan',
    'gateway --portt 1',
    'gateway stop',
    'gateway --config /c.json status',
    'gateway status --help',
    'gateway status --config /c.json',
    'gateway status now',
    'gateway --',
    'gatewai',
  ])('is left to the parser where it is not spelled out: %s', (line) => {
    expect(readPlainCommand(split(line))).toBeUndefined();
  });

  it('is left to the parser when it is empty or a value is', () => {
    expect(readPlainCommand([])).toBeUndefined();
    expect(readPlainCommand(['gateway', '--token', ''])).toBeUndefined();
  });

  it.each([
    'gateway --port 99999',
    'gateway --port none --force',
    'gateway --env-file /does/not/exist',
    'gateway status --no-probe',
    'gateway status --json',
  ])('does what the parser makes of it: %s', async (line) => {
    const env = { LANG: 'en_US.UTF-8' };
    const [plain, parsed] = await Promise.all([
      runCommand(split(line), env),
      runCommand(['--lang', 'en', ...split(line)], env),
    ]);
    const told = ({ code, stdout, stderr, home }: typeof plain) => [code, `${stdout}${stderr}`.replaceAll(home, '~')];
    expect(told(plain)).toEqual(told(parsed));
  });
});
