import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveBind } from '../../../lib/config/bind.ts';
import { readEssentials } from '../../../lib/config/essentials.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

describe('a bind setting', () => {
  it.each([
    [{}, { mode: 'loopback' }],
    [{ bind: 'lan' }, { mode: 'lan' }],
    [
      { bind: 'custom', customBindHost: '10.0.0.1' },
      { mode: 'custom', customHost: '10.0.0.1' },
    ],
    [{ bind: 'custom' }, undefined],
    [{ host: '127.0.0.1' }, { mode: 'loopback' }],
    [{ host: 'localhost' }, { mode: 'loopback' }],
    [{ host: '::1' }, { mode: 'loopback' }],
    [{ host: '0.0.0.0' }, { mode: 'lan' }],
    [{ host: '::' }, { mode: 'lan' }],
    [{ host: '10.0.0.1' }, { mode: 'custom', customHost: '10.0.0.1' }],
    [
      { host: '10.0.0.1', bind: 'custom', customBindHost: '10.0.0.1' },
      { mode: 'custom', customHost: '10.0.0.1' },
    ],
    [{ host: '0.0.0.0', bind: 'lan' }, { mode: 'lan' }],
    [{ host: '0.0.0.0', bind: 'loopback' }, undefined],
    [{ host: '10.0.0.1', customBindHost: '10.0.0.2' }, undefined],
  ])('%j is %j', (settings, plan) => {
    expect(resolveBind(settings)).toEqual(plan);
  });
});

describe('the essentials', () => {
  it.each([
    [{}, {}, {}],
    [{ gateway: { port: 0, bind: 'lan', drainTimeout: '3s' }, commands: { restart: false } }, {}, {}],
    [{ gateway: { host: '10.1.1.1', drainTimeout: 7 } }, {}, {}],
    [{ gateway: { bind: 'custom', customBindHost: '10.1.1.1', auth: { token: 'file-token' } } }, {}, {}],
    [{ gateway: { auth: { mode: 'password', password: 'from file' } } }, {}, {}],
    [{ gateway: { auth: { mode: 'none' } } }, {}, {}],
    [{ gateway: { standby: true, hangTimeout: 0, maxRssMb: 0, crashLimit: 0 } }, {}, {}],
    [{ gateway: { hangTimeout: '1m', maxRssMb: 512, crashLimit: 9 } }, {}, {}],
    [{ gateway: { auth: { token: `\${TOKEN}` }, port: 5 } }, { TOKEN: 'expanded' }, { port: 6 }],
    [{ gateway: { bind: 'lan' } }, { XOPC_GATEWAY_TOKEN: 'from-env' }, { token: 'from-flag', bind: 'auto' }],
    [{}, { XOPC_GATEWAY_AUTH_MODE: 'password', XOPC_GATEWAY_PASSWORD: 'from env' }, {}],
  ])('agree with the whole schema on %j, %j, %j', (content, env, overrides) => {
    const path = join(temporaryDirectory(), 'xopc.json');
    writeFileSync(path, JSON.stringify(content));
    const essentials = readEssentials(path, env, overrides);
    const { config } = loadConfig(path, env, overrides);
    const { auth } = config.gateway;
    expect(essentials).toEqual({
      bind: resolveBind(config.gateway),
      port: config.gateway.port,
      authMode: auth.mode,
      secret: auth.mode === 'password' ? auth.password : auth.token,
      drainTimeoutMs: config.gateway.drainTimeout,
      allowsRestart: config.commands.restart,
      hasStandby: config.gateway.standby,
      hangTimeoutMs: config.gateway.hangTimeout,
      maxRssMb: config.gateway.maxRssMb,
      crashLimit: config.gateway.crashLimit,
    });
  });

  it.each([
    '',
    '{ broken',
    '[]',
    '{"gateway":5}',
    '{"gateway":{"port":"x","bind":7,"drainTimeout":[],"auth":[]},"commands":1}',
    '{"gateway":{"bind":"custom"}}',
  ])('are the defaults where the file cannot be understood: %s', (text) => {
    const path = join(temporaryDirectory(), 'xopc.json');
    writeFileSync(path, text);
    expect(readEssentials(path, {})).toEqual({
      bind: { mode: 'loopback' },
      port: 18_790,
      authMode: 'token',
      secret: undefined,
      drainTimeoutMs: 25_000,
      allowsRestart: true,
      hasStandby: false,
      hangTimeoutMs: 15_000,
      maxRssMb: undefined,
      crashLimit: 5,
    });
  });
});
