import type { Environment } from './env.ts';

/** An HTTP proxy on the way to a server. */
export type HttpProxy = {
  /** Without credentials. */
  url: string;
  /** For the header Proxy-Authorization. */
  authorization?: string;
  /** What must appear in no log. */
  secrets: readonly string[];
};

/** Why a proxy cannot be used. */
export type ProxyProblem = { problem: string };

/** In place of a proxy's URL: none, whatever the environment says. */
export const NO_PROXY = 'none';

/** Reads the URL of a proxy, with credentials if it has any; without a scheme it is http. */
export function parseProxy(text: string): HttpProxy | ProxyProblem {
  const url = parseUrl(text.includes('://') ? text : `http://${text}`);
  if (url === undefined) return { problem: 'must be the URL of a proxy, such as http://proxy.example:3128' };
  if (url.protocol.startsWith('socks'))
    return { problem: 'names a SOCKS proxy, which cannot be used; give an HTTP proxy (http:// or https://)' };
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { problem: 'must begin with http:// or https://, for an HTTP proxy' };
  const [user, password] = [decode(url.username), decode(url.password)];
  if (user === undefined || password === undefined)
    return { problem: 'has a percent sign in its user name or password that must be written as %25' };
  if (user === '' && password === '') return { url: url.origin, secrets: [] };
  const pair = `${user}:${password}`;
  return {
    url: url.origin,
    authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
    secrets: [pair, password, `${url.username}:${url.password}`, url.password],
  };
}

/**
 * The proxy for a server: the configured one, else what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say in either spelling,
 * as other programs read them. Undefined when there is none.
 */
export function findProxy(
  target: string,
  configured: string | undefined,
  env: Environment,
): HttpProxy | ProxyProblem | undefined {
  if (configured === NO_PROXY) return undefined;
  if (configured !== undefined) return parseProxy(configured);
  const url = new URL(target);
  const names = url.protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
  const name = [...names, 'all_proxy', 'ALL_PROXY'].find((candidate) => env[candidate] !== undefined);
  if (name === undefined || isExcepted(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return undefined;
  const proxy = parseProxy(env[name] ?? '');
  return 'problem' in proxy ? { problem: `The environment variable ${name} ${proxy.problem}` } : proxy;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Entries are hosts, with or without a port, that hold for the names below them, too; `*` is every host. */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const usedPort = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '*') return true;
      const [, host = '', ofPort = usedPort] = /^(?:\*?\.)?(\[[^\]]+\]|[^:]+|.*:.*:.*)(?::(\d+))?$/.exec(entry) ?? [];
      const isHost = host !== '' && [hostname, hostname.replace(/^\[|\]$/g, '')].includes(host);
      return ofPort === usedPort && (isHost || (host !== '' && hostname.endsWith(`.${host}`)));
    });
}
