import { describe, expect, it } from 'vitest';
import { type AuditSeverity, auditExposure } from '../../../lib/audit/audit.ts';
import { describeAudit, isAuditCheckId } from '../../../lib/audit/texts.ts';
import { auditEn } from '../../../lib/audit/texts-en.ts';
import type { ConfigInput } from '../../../lib/config/schema.ts';
import { createConfig } from '../../worker/assembled-gateway.ts';

const LOOPBACK = ['127.0.0.1', '::1'];
const NETWORK = ['192.168.1.5'];
const STRONG = '0123456789abcdef0123456789abcdef';

type Settings = NonNullable<ConfigInput['gateway']>;

function audit(gateway: Settings, hosts: readonly string[] = LOOPBACK, secret: string | undefined = STRONG) {
  return auditExposure({ gateway: createConfig({ gateway }).gateway, hosts, secret });
}

function idsOf(findings: ReturnType<typeof audit>): [string, AuditSeverity][] {
  return findings.map(({ checkId, severity }) => [checkId, severity]);
}

describe('the audit', () => {
  it("finds nothing on loopback with a long token of one's own", () => {
    expect(audit({ auth: { token: STRONG } })).toEqual([]);
  });

  it.each<[string, Settings, readonly string[], string | undefined, [string, AuditSeverity][]]>([
    [
      'no authentication on loopback',
      { auth: { mode: 'none' } },
      LOOPBACK,
      undefined,
      [['gateway.auth.none_loopback', 'warn']],
    ],
    ['a generated token', {}, LOOPBACK, STRONG, [['gateway.auth.auto_generated_token', 'info']]],
    ['a short token', { auth: { token: 'x' } }, LOOPBACK, 'abcdefghijklmnop', [['gateway.auth.short_token', 'warn']]],
    [
      'a short password',
      { auth: { mode: 'password', password: 'x' } },
      LOOPBACK,
      'abcdefgh',
      [['gateway.auth.short_password', 'warn']],
    ],
    [
      'one character, repeated',
      { auth: { token: 'x' } },
      LOOPBACK,
      'a'.repeat(40),
      [['gateway.auth.low_entropy_secret', 'critical']],
    ],
    [
      'a password without limit',
      { auth: { mode: 'password', password: 'x', rateLimit: { enabled: false } } },
      LOOPBACK,
      STRONG,
      [['gateway.auth.no_rate_limit', 'warn']],
    ],
    ['any origin', { auth: { token: 'x' }, corsOrigins: ['*'] }, LOOPBACK, STRONG, [['gateway.cors.wildcard', 'warn']]],
    [
      'a local proxy',
      { auth: { token: 'x' }, trustedProxies: ['127.0.0.1'] },
      LOOPBACK,
      STRONG,
      [['gateway.trusted_proxy.loopback', 'info']],
    ],
    [
      'wide proxies',
      { auth: { token: 'x' }, trustedProxies: ['10.0.0.0/7', '0.0.0.0/0'] },
      LOOPBACK,
      STRONG,
      [
        ['gateway.trusted_proxy.everyone', 'critical'],
        ['gateway.trusted_proxy.wide', 'warn'],
      ],
    ],
    [
      'a tailnet that is not up',
      { auth: { token: 'x' }, bind: 'tailnet' },
      LOOPBACK,
      STRONG,
      [['gateway.bind.tailnet_ip_unavailable', 'warn']],
    ],
    ['the network without a proxy', { auth: { token: 'x' } }, NETWORK, STRONG, [['gateway.transport.no_tls', 'warn']]],
    ['the network behind a proxy', { auth: { token: 'x' }, trustedProxies: ['192.168.1.1'] }, NETWORK, STRONG, []],
    [
      'all interfaces',
      { auth: { token: 'x' }, trustedProxies: ['192.168.1.1'] },
      ['0.0.0.0'],
      STRONG,
      [['gateway.bind.all_interfaces', 'warn']],
    ],
  ])('finds %s', (_what, gateway, hosts, secret, expected) => {
    expect(idsOf(auditExposure({ gateway: createConfig({ gateway }).gateway, hosts, secret }))).toEqual(expected);
  });

  it('puts the gravest first, where everything is wrong', () => {
    const corsOrigins = ['*', ...Array.from({ length: 20 }, (_, index) => `https://${index}.example.com`)];
    const found = idsOf(audit({ auth: { mode: 'none' }, corsOrigins }, ['0.0.0.0'], undefined));
    expect(found).toEqual([
      ['gateway.auth.none_on_network', 'critical'],
      ['gateway.cors.wildcard', 'critical'],
      ['gateway.bind.all_interfaces', 'warn'],
      ['gateway.transport.no_tls', 'warn'],
      ['gateway.cors.excessive_origins', 'info'],
    ]);
  });

  it('says what is so, why, and what to do, and no secret', () => {
    const [finding] = audit({ auth: { token: 'x' } }, LOOPBACK, 'canary-short');
    expect(finding).toEqual({
      checkId: 'gateway.auth.short_token',
      severity: 'warn',
      title: expect.any(String),
      detail: expect.stringContaining('12 characters'),
      remediation: expect.stringContaining('gateway.auth.token'),
      values: { length: 12, minimum: 22 },
    });
    expect(JSON.stringify(finding)).not.toContain('canary');
  });

  it('has its texts in both languages, with the same values', () => {
    for (const checkId of Object.keys(auditEn).filter(isAuditCheckId)) {
      const values = { length: 1, minimum: 2, count: 3, range: '::/0' };
      const [en, zh] = (['en', 'zh'] as const).map((language) => describeAudit(checkId, values, language));
      for (const text of [...Object.values(en ?? {}), ...Object.values(zh ?? {})]) {
        expect(text).not.toMatch(/[{}]|undefined/);
        expect(text.length).toBeGreaterThan(2);
      }
      expect(zh?.title).toMatch(/\p{Script=Han}/u);
    }
    expect(isAuditCheckId('constructor')).toBe(false);
  });
});
