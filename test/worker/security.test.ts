import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { createRedactor } from '../../lib/redact.ts';
import { type Security, secureGateway } from '../../worker/security.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';
import { createConfig } from './assembled-gateway.ts';
import { createRecordingLog, type LogEntry } from './recording-log.ts';

const TOKEN = 'canary-token-0123456789abcdef0123456789';

function secure(
  gateway: ConfigInput['gateway'],
  hosts: readonly string[],
): Security & { entries: LogEntry[]; shown: string } {
  const directory = makeTemporaryDirectory();
  onTestFinished(directory.remove);
  const { log, entries } = createRecordingLog();
  const redactor = createRedactor();
  const security = secureGateway({
    ...{ config: createConfig({ gateway }), env: {}, overrides: {}, hosts, redactor, log },
    paths: resolvePaths({ XOPC_HOME: directory.path }),
  });
  return { ...security, entries, shown: redactor.redact(TOKEN) };
}

describe('before it serves, the gateway', () => {
  it('logs each finding at the level of its severity, and takes its secret out of what is said', () => {
    const gateway = { auth: { token: TOKEN }, bind: 'lan' as const, trustedProxies: ['::/0'] };
    const { findings, entries, shown } = secure(gateway, ['0.0.0.0']);
    expect(findings.map(({ checkId }) => checkId)).toEqual([
      'gateway.trusted_proxy.everyone',
      'gateway.bind.all_interfaces',
    ]);
    expect(entries.map(({ level, fields }) => [level, fields['checkId']])).toEqual([
      ['error', 'gateway.trusted_proxy.everyone'],
      ['warn', 'gateway.bind.all_interfaces'],
    ]);
    expect(entries[0]?.message).toMatch(/^Security: Every caller may claim any address\./);
    expect(shown).toMatch(/^\[sha256:/);
  });

  it.each<[string, ConfigInput['gateway'], readonly string[]]>([
    ['any origin beyond loopback', { auth: { token: TOKEN }, corsOrigins: ['*'] }, ['0.0.0.0']],
    [
      'any origin beyond loopback, on one of its addresses',
      { auth: { token: TOKEN }, corsOrigins: ['*'] },
      ['127.0.0.1', '192.168.1.5'],
    ],
    ['no authentication beyond loopback', { auth: { mode: 'none' } }, ['0.0.0.0']],
    ['a weak token, in any case', { auth: { token: ' Change-Me-To-A-Long-Random-TOKEN ' } }, ['127.0.0.1']],
    ['a password that no header can carry', { auth: { mode: 'password', password: 'пароль-пароль' } }, ['127.0.0.1']],
  ])('refuses %s, which a person must mend', (_what, gateway, hosts) => {
    expect(() => secure(gateway, hosts)).toThrow(expect.objectContaining({ exitCode: 78, hint: expect.any(String) }));
  });

  it('takes any origin on loopback, and says so', () => {
    const { findings } = secure({ auth: { token: TOKEN }, corsOrigins: ['*'] }, ['127.0.0.1', '::1']);
    expect(findings.map(({ checkId, severity }) => [checkId, severity])).toEqual([['gateway.cors.wildcard', 'warn']]);
  });
});
