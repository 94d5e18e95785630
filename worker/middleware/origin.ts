import type { Next } from 'koa';
import { GatewayError } from '../../lib/errors.ts';
import { isLoopbackAddress } from '../../lib/net.ts';
import { normalizeOrigin, parseAuthority } from '../../lib/origin.ts';
import type { Client, Context } from './state.ts';

export type OriginRules = {
  corsOrigins: readonly string[];
  /** Without a credential, the origin is all that stands between a page and the API. */
  isOpen: boolean;
};

/** Lets pages of our own and of declared origins call the API, with CORS (Fetch Standard, 3.2), and refuses all others (ORIGIN-2, ORIGIN-3). */
export function originGuard(rules: OriginRules) {
  return (ctx: Context, next: Next): Promise<unknown> | undefined => {
    const { origin, host } = ctx.headers;
    if (origin === undefined) return next();
    const { client } = ctx.state;
    const verdict = judgeOrigin(
      { origin, host: client.forwardedHost ?? host ?? '', client, method: ctx.method },
      rules,
    );
    switch (verdict) {
      case 'own':
        return next();
      case 'opaque':
        ctx.vary('Origin');
        return next();
      case 'listed':
      case 'any':
      case 'local':
        allow(ctx, origin, verdict === 'listed');
        return isPreflight(ctx) ? answerPreflight(ctx) : next();
      case 'refused':
        throw refuse(origin, client.forwardedHost ?? host ?? '');
      default:
        return verdict satisfies never;
    }
  };
}

type Question = { origin: string; host: string; client: Client; method: string };

/** `own`: the page came from this gateway; `local`: from another port of this machine; `opaque`: it has no origin (`null`). */
export type OriginVerdict = 'own' | 'listed' | 'any' | 'local' | 'opaque' | 'refused';

/** Judges the origin of a request that has passed the host guard. */
export function judgeOrigin({ origin, host, client, method }: Question, rules: OriginRules): OriginVerdict {
  if (origin === 'null') return rules.isOpen && !SAFE.has(method) ? 'refused' : 'opaque';
  const normalized = normalizeOrigin(origin);
  if (normalized === undefined) return 'refused';
  if (isOwn(normalized, host, client.forwardedProto)) return 'own';
  if (rules.corsOrigins.includes(normalized)) return 'listed';
  if (rules.corsOrigins.includes('*')) return 'any';
  const isLocal = client.via === 'direct' && isLoopbackAddress(client.address);
  return isLocal && isLoopbackName(nameOf(normalized)) && isLoopbackName(parseAuthority(host)?.name)
    ? 'local'
    : 'refused';
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** The scheme counts only where a trusted proxy tells ours: TLS ends before us, and a proxy that nobody declared is not heard. */
function isOwn(origin: string, host: string, proto: string | undefined): boolean {
  const { protocol, host: asked } = new URL(origin);
  if (proto !== undefined && protocol !== `${proto}:`) return false;
  return normalizeOrigin(`${protocol}//${host}`) === `${protocol}//${asked}`;
}

function nameOf(origin: string): string | undefined {
  return parseAuthority(new URL(origin).host)?.name;
}

function isLoopbackName(name: string | undefined): boolean {
  return name !== undefined && (name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name));
}

function allow(ctx: Context, origin: string, isListed: boolean): void {
  ctx.vary('Origin');
  ctx.set('Access-Control-Allow-Origin', origin);
  ctx.set('Access-Control-Expose-Headers', 'X-Request-Id, Retry-After, ETag');
  // Only for what a proxy in front may ask for; we know no cookies.
  if (isListed) ctx.set('Access-Control-Allow-Credentials', 'true');
  ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
}

function isPreflight(ctx: Context): boolean {
  return ctx.method === 'OPTIONS' && ctx.get('Access-Control-Request-Method') !== '';
}

const PREFLIGHT = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'Access-Control-Allow-Headers':
    'Authorization, X-Api-Key, Content-Type, Accept, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id, X-Session-Id',
  // Not for a day, as some do: an origin that is taken off the list should be off.
  'Access-Control-Max-Age': '600',
};

async function answerPreflight(ctx: Context): Promise<void> {
  ctx.set(PREFLIGHT);
  // A page on the Internet may ask a machine in a private network only with its consent (Private Network Access).
  if (ctx.get('Access-Control-Request-Private-Network') === 'true')
    ctx.set('Access-Control-Allow-Private-Network', 'true');
  ctx.status = 204;
}

const MAX_SHOWN = 200;

function refuse(origin: string, host: string): GatewayError {
  const normalized = normalizeOrigin(origin);
  const shown = normalized ?? origin.slice(0, MAX_SHOWN);
  const seen = `The origin "${shown}" may not call this gateway, which was reached as "${host.slice(0, MAX_SHOWN)}".`;
  const fix =
    normalized === undefined
      ? 'Only pages with an origin of their own can be allowed.'
      : `To allow exactly it, put it into the configuration: "gateway": {"corsOrigins": ["${normalized}"]}. Behind a reverse proxy of yours, name the proxy in gateway.trustedProxies and let it pass Host or X-Forwarded-Host on.`;
  return new GatewayError('FORBIDDEN', `${seen} ${fix}`, { headers: { Vary: 'Origin' } });
}
