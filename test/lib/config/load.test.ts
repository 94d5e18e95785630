import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, type LoadedConfig, loadConfig } from '../../../lib/config/load.ts';
import type { Environment } from '../../../lib/env.ts';
import type { FieldProblem } from '../../../lib/errors.ts';
import type { WorkerOverrides } from '../../../lib/ipc.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

/** Loads a configuration of this text, or of this value as JSON. */
function load(content: unknown, env: Environment = {}, overrides: WorkerOverrides = {}): LoadedConfig {
  const path = join(temporaryDirectory(), 'xopc.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return loadConfig(path, env, overrides);
}

function problemsOf(...args: Parameters<typeof load>): readonly FieldProblem[] {
  try {
    load(...args);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  throw new Error('It was accepted');
}

const pathsOf = (...args: Parameters<typeof load>): string[] =>
  problemsOf(...args)
    .map(({ path }) => path)
    .sort();

describe('a configuration', () => {
  it('that is not there, or empty, is complete with defaults and cannot be changed', () => {
    const { config, warnings } = loadConfig(join(temporaryDirectory(), 'none.json'), {});
    expect(config).toMatchObject({
      gateway: { port: 18_790, auth: { mode: 'token' }, drainTimeout: 25_000, maxSseConnections: 100 },
      agents: { maxConcurrentTurns: 20, turnTimeout: 600_000, list: [] },
      session: { dmScope: 'per-channel-peer' },
      outbox: { ambiguous: 'resend-marked', replyTtl: 86_400_000, messageTtl: 86_400_000, noticeTtl: 3_600_000 },
      channels: { telegram: { enabled: false, accounts: {} } },
    });
    expect(warnings).toEqual([]);
    expect(load('{}').config).toEqual(config);
    expect(() => Object.assign(config.gateway.auth, { mode: 'none' })).toThrow(TypeError);
    expect(() => (config.agents.list as unknown[]).push({})).toThrow(TypeError);
  });

  it('may hold comments, trailing commas and a byte order mark', () => {
    const text = '\ufeff// ours\n{ /* where */ "gateway": { "port": 1, }, // end\n}';
    expect(load(text).config.gateway.port).toBe(1);
  });

  it.each([
    ['', 'line 1, column 1'],
    ['{"gateway": {\n  "port": 1 "bind": "lan"}}', 'line 2, column 13'],
    ['[]', '(file)'],
    ['null', '(file)'],
    ['"text"', '(file)'],
    ['{"a": 1} {"b": 2}', 'line 1, column 10'],
  ])('that is no JSON object is refused with the place (case %#)', (text, place) => {
    expect(pathsOf(text)).toContain(place);
  });

  it('is told every problem at once, each with its path and what is allowed', () => {
    const problems = problemsOf({
      gateway: {
        port: 'many',
        bind: 'everywhere',
        auth: { mode: 'secret' },
        drainTimeout: 'soon',
        hangTimeout: '500ms',
        maxSseConnections: 0,
      },
      agents: { list: [{ id: 'UPPER' }, { id: 'ok', temperature: 9 }], turnTimeout: -1 },
      providers: { own: { baseUrl: 'no url' } },
      channels: { telegram: { accounts: { a: { dmPolicy: 'all' } }, allowFrom: 'me' } },
      logging: { level: 'loud' },
    });
    expect(problems.map(({ path }) => path).sort()).toEqual([
      'agents.list.0.id',
      'agents.list.1.temperature',
      'agents.turnTimeout',
      'channels.telegram.accounts.a.dmPolicy',
      'channels.telegram.allowFrom',
      'gateway.auth.mode',
      'gateway.bind',
      'gateway.drainTimeout',
      'gateway.hangTimeout',
      'gateway.maxSseConnections',
      'gateway.port',
      'logging.level',
      'providers.own.baseUrl',
    ]);
    expect(problems.find(({ path }) => path === 'gateway.bind')?.message).toContain('"loopback"');
  });

  it('is refused where a list stands for an object', () => {
    expect(pathsOf({ gateway: [], agents: { defaults: [] }, channels: { telegram: [] } })).toEqual([
      'agents.defaults',
      'channels.telegram',
      'gateway',
    ]);
  });

  it('reads durations with units and as seconds', () => {
    const { config } = load({
      gateway: { drainTimeout: 5 },
      agents: { turnTimeout: '1.5m' },
      outbox: { replyTtl: '500ms' },
    });
    expect([config.gateway.drainTimeout, config.agents.turnTimeout, config.outbox.replyTtl]).toEqual([
      5_000, 90_000, 500,
    ]);
  });

  it.each([
    [{ gateway: { auth: { token: 'a', password: 'b' } } }, 'gateway.auth'],
    [{ gateway: { auth: { mode: 'password' } } }, 'gateway.auth.password'],
    [{ gateway: { bind: 'lan', host: '127.0.0.1' } }, 'gateway.bind'],
    [{ gateway: { bind: 'custom' } }, 'gateway.bind'],
    [{ gateway: { host: '10.0.0.1', customBindHost: '10.0.0.2' } }, 'gateway.bind'],
    [{ agents: { list: [{ id: 'a' }, { id: 'a' }] } }, 'agents.list'],
    [{ agents: { default: 'b', list: [{ id: 'a' }] } }, 'agents.default'],
    [{ agents: { default: 'a', list: [{ id: 'a', enabled: false }] } }, 'agents.default'],
  ])('that contradicts itself is refused: %j', (content, path) => {
    expect(pathsOf(content)).toEqual([path]);
  });

  it('never makes loading fail with anything but its list of problems, whatever JSON it holds', () => {
    const names = [
      'gateway',
      'agents',
      'providers',
      'channels',
      'telegram',
      'auth',
      'port',
      'bind',
      'list',
      'id',
      'default',
      '__proto__',
      'accounts',
    ];
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 'lan', `\${HOME}`, `\${NONE}`, '5s', ''),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 3 })), tie('any'), { maxKeys: 4 }),
      ),
    })).any;
    const path = join(temporaryDirectory(), 'any.json');
    fc.assert(
      fc.property(fc.oneof(value, fc.json()), (content) => {
        writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
        try {
          loadConfig(path, { HOME: '/h' });
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a variable', () => {
  const env = { NAME: 'value', QUOTE: '"}', EMPTY: undefined };

  it.each([
    [`\${NAME}`, 'value'],
    [`a-\${NAME}-\${NAME}-b`, 'a-value-value-b'],
    [`\${NONE:-fallback}`, 'fallback'],
    [`\${NONE:-}`, ''],
    [`\${NAME:-fallback}`, 'value'],
    [`\${QUOTE}`, '"}'],
    ['$NAME', '$NAME'],
    [`\${not a name}`, `\${not a name}`],
    [`$\${NAME}`, '$value'],
  ])('in "%s" gives "%s"', (text, expected) => {
    expect(load({ agents: { defaults: { systemPrompt: text } } }, env).config.agents.defaults.systemPrompt).toBe(
      expected,
    );
  });

  it('is expanded in lists and maps, too', () => {
    const { config } = load(
      { providers: { own: `\${NAME}` }, agents: { defaults: { model: { primary: 'a/b', fallbacks: [`\${NAME}`] } } } },
      env,
    );
    expect(config.providers['own']).toBe('value');
    expect(config.agents.defaults.model).toMatchObject({ fallbacks: ['value'] });
  });

  it('that is not set is named with every place that needs it, among all other problems', () => {
    const problems = problemsOf(
      {
        providers: { own: { apiKey: `\${NONE}`, baseUrl: 'https://x.example' } },
        channels: { telegram: { allowFrom: ['1', `\${EMPTY}`] } },
        gateway: { port: -1 },
      },
      env,
    );
    expect(problems.map(({ path }) => path).sort()).toEqual([
      'channels.telegram.allowFrom.1',
      'gateway.port',
      'providers.own.apiKey',
    ]);
    expect(problems.find(({ path }) => path === 'providers.own.apiKey')?.message).toContain(`\${NONE}`);
  });
});

describe('precedence', () => {
  const file = {
    gateway: { port: 1, bind: 'lan', auth: { mode: 'token', token: 'from-file' } },
    logging: { level: 'warn' },
  };

  it('is command line, then environment, then file, then default', () => {
    const env = { XOPC_GATEWAY_TOKEN: 'from-env', XOPC_LOG_LEVEL: 'debug' };
    const fromEnv = load(file, env).config;
    expect([fromEnv.gateway.auth.token, fromEnv.logging.level, fromEnv.gateway.port]).toEqual(['from-env', 'debug', 1]);
    const flags = { token: 'from-flag', port: 0, bind: 'loopback' };
    expect(load(file, env, flags).config.gateway).toMatchObject({
      port: 0,
      bind: 'loopback',
      auth: { token: 'from-flag' },
    });
    expect(load({}, {}, { port: 5 }).config.gateway.port).toBe(5);
  });

  it('lets the environment choose password mode', () => {
    const env = { XOPC_GATEWAY_AUTH_MODE: 'password', XOPC_GATEWAY_PASSWORD: 'long enough' };
    expect(load({}, env).config.gateway.auth).toMatchObject({ mode: 'password', password: 'long enough' });
  });

  it('refuses a wrong value of the environment or the command line as one of the file', () => {
    expect(pathsOf({}, { XOPC_GATEWAY_AUTH_MODE: 'no' })).toEqual(['gateway.auth.mode']);
    expect(pathsOf({}, { XOPC_LOG_LEVEL: 'loud' })).toEqual(['logging.level']);
    expect(pathsOf({}, {}, { bind: 'everywhere', port: 70_000 })).toEqual(['gateway.bind', 'gateway.port']);
  });

  it.each([{ gateway: 5 }, { gateway: { auth: 'token' } }])(
    'does not hide what is wrong in the file: %j',
    (content) => {
      expect(problemsOf(content, { XOPC_GATEWAY_TOKEN: 'x' }, { port: 1 })).not.toEqual([]);
    },
  );
});

describe('an unknown key', () => {
  const warningsOf = (content: unknown): [string, string][] =>
    load(content).warnings.map(({ path, message }) => [path, message]);

  it.each([
    [{ gatewey: {} }, 'gatewey', 'gateway'],
    [{ gateway: { Port: 1 } }, 'gateway.Port', 'port'],
    [{ gateway: { auth: { tokn: 'x' } } }, 'gateway.auth.tokn', 'token'],
    [{ agents: { defaults: { temprature: 1 } } }, 'agents.defaults.temprature', 'temperature'],
    [{ agents: { list: [{ id: 'a', sytemPrompt: 'x' }] } }, 'agents.list.0.sytemPrompt', 'systemPrompt'],
    [
      { agents: { defaults: { model: { primary: 'a/b', falbacks: [] } } } },
      'agents.defaults.model.falbacks',
      'fallbacks',
    ],
    [
      { channels: { telegram: { accounts: { a: { botTokn: 'x' } } } } },
      'channels.telegram.accounts.a.botTokn',
      'botToken',
    ],
    [{ providers: { own: { baseURl: 'x', baseUrl: 'https://x.example' } } }, 'providers.own.baseURl', 'baseUrl'],
    [{ outbox: { replyTTL: '1h' } }, 'outbox.replyTTL', 'replyTtl'],
  ])('warns and starts, with the nearest one that exists: %j', (content, path, nearest) => {
    expect(warningsOf(content)).toEqual([[path, expect.stringContaining(`"${nearest}"`)]]);
  });

  it('that is like no other is named without a guess, also one of the prototype', () => {
    expect(warningsOf('{"somethingElse":1,"__proto__":{"gateway":1},"constructor":1}')).toEqual([
      ['somethingElse', 'is not a known setting'],
      ['constructor', 'is not a known setting'],
    ]);
  });

  it('of a free name, as of providers and accounts, is none', () => {
    expect(
      warningsOf({
        $schema: './x.json',
        providers: { anything: 'key' },
        channels: { telegram: { accounts: { mine: {} } } },
      }),
    ).toEqual([]);
  });
});
