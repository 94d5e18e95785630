import type { Config } from '../config/schema.ts';
import { parseIpRange } from '../ip-range.ts';
import { isLoopbackAddress } from '../net.ts';
import { type AuditCheckId, describeAudit } from './texts.ts';

export type AuditSeverity = 'critical' | 'warn' | 'info';

/** One thing about the exposure of this gateway that a person should know (SPEC 5.1). `values` are what its texts are filled with. */
export type AuditFinding = {
  checkId: AuditCheckId;
  severity: AuditSeverity;
  title: string;
  detail: string;
  remediation: string;
  values: Readonly<Record<string, string | number>>;
};

/** How the gateway stands in the network, as far as it can be known before or after it listens. */
export type Exposure = {
  gateway: Config['gateway'];
  /** Addresses it listens on. */
  hosts: readonly string[];
  /** The token or password in use; undefined in mode `none`, or while none has been generated. */
  secret: string | undefined;
};

/** Looks at how exposed a gateway is, the gravest first. A pure function: the same exposure has the same findings. */
export function auditExposure(exposure: Exposure): AuditFinding[] {
  const isNetwork = !exposure.hosts.every(isLoopbackAddress);
  const raised = [
    ...auditAuth(exposure, isNetwork),
    ...auditOrigins(exposure.gateway, isNetwork),
    ...auditProxies(exposure.gateway),
    ...auditBind(exposure, isNetwork),
  ];
  return raised
    .sort((left, right) => GRAVITY.indexOf(left.severity) - GRAVITY.indexOf(right.severity))
    .map(({ checkId, severity, values = {} }) => ({
      checkId,
      severity,
      ...describeAudit(checkId, values, 'en'),
      values,
    }));
}

const GRAVITY: readonly AuditSeverity[] = ['critical', 'warn', 'info'];

type Raised = { checkId: AuditCheckId; severity: AuditSeverity; values?: AuditFinding['values'] };

const SHORT_TOKEN = 22;
const SHORT_PASSWORD = 12;

function auditAuth({ gateway, secret }: Exposure, isNetwork: boolean): Raised[] {
  const { mode, token, rateLimit } = gateway.auth;
  if (mode === 'none') {
    return isNetwork
      ? [{ checkId: 'gateway.auth.none_on_network', severity: 'critical' }]
      : [{ checkId: 'gateway.auth.none_loopback', severity: 'warn' }];
  }
  const raised: Raised[] = [];
  if (mode === 'token' && token === undefined)
    raised.push({ checkId: 'gateway.auth.auto_generated_token', severity: 'info' });
  const values = { length: secret?.length ?? 0, minimum: mode === 'token' ? SHORT_TOKEN : SHORT_PASSWORD };
  if (secret !== undefined && secret.length < values.minimum)
    raised.push({
      checkId: mode === 'token' ? 'gateway.auth.short_token' : 'gateway.auth.short_password',
      severity: 'warn',
      values,
    });
  if (secret !== undefined && new Set(secret).size === 1)
    raised.push({ checkId: 'gateway.auth.low_entropy_secret', severity: 'critical' });
  if (!rateLimit.enabled && (isNetwork || mode === 'password'))
    raised.push({ checkId: 'gateway.auth.no_rate_limit', severity: 'warn' });
  return raised;
}

const MANY_ORIGINS = 20;

function auditOrigins({ corsOrigins }: Config['gateway'], isNetwork: boolean): Raised[] {
  const raised: Raised[] = [];
  if (corsOrigins.includes('*'))
    raised.push({ checkId: 'gateway.cors.wildcard', severity: isNetwork ? 'critical' : 'warn' });
  if (corsOrigins.length > MANY_ORIGINS)
    raised.push({ checkId: 'gateway.cors.excessive_origins', severity: 'info', values: { count: corsOrigins.length } });
  return raised;
}

/** Blocks wider than these hold more than one's own proxies. */
const WIDE_PREFIX = { ipv4: 8, ipv6: 7 } as const;

function auditProxies({ trustedProxies }: Config['gateway']): Raised[] {
  return trustedProxies.flatMap((range): Raised[] => {
    const { address = '', prefix = 0, family = 'ipv4' } = parseIpRange(range) ?? {};
    const values = { range };
    if (prefix === 0) return [{ checkId: 'gateway.trusted_proxy.everyone', severity: 'critical', values }];
    if (prefix < WIDE_PREFIX[family]) return [{ checkId: 'gateway.trusted_proxy.wide', severity: 'warn', values }];
    if (isLoopbackAddress(address)) return [{ checkId: 'gateway.trusted_proxy.loopback', severity: 'info', values }];
    return [];
  });
}

function auditBind({ gateway, hosts }: Exposure, isNetwork: boolean): Raised[] {
  if (!isNetwork)
    return gateway.bind === 'tailnet' ? [{ checkId: 'gateway.bind.tailnet_ip_unavailable', severity: 'warn' }] : [];
  const raised: Raised[] = [];
  if (hosts.some((host) => host === '0.0.0.0' || host === '::'))
    raised.push({ checkId: 'gateway.bind.all_interfaces', severity: 'warn' });
  if (gateway.trustedProxies.length === 0) raised.push({ checkId: 'gateway.transport.no_tls', severity: 'warn' });
  return raised;
}
