/** What the findings of the security audit say, by the id of their check, in English. */
export const auditEn = {
  'gateway.auth.none_on_network': {
    title: 'Anyone in the network is the owner',
    detail: 'gateway.auth.mode is "none" and the gateway listens beyond loopback.',
    remediation: 'Set gateway.auth.mode to "token", or gateway.bind to "loopback".',
  },
  'gateway.auth.none_loopback': {
    title: 'Every program on this machine is the owner',
    detail: 'gateway.auth.mode is "none"; only pages of other machines are kept out.',
    remediation: 'Set gateway.auth.mode to "token" unless this is a machine for development.',
  },
  'gateway.auth.auto_generated_token': {
    title: 'The token was generated',
    detail: 'No token is configured; the one in credentials/gateway-token is used and kept.',
    remediation: 'Nothing to do. "xopc gateway token" shows it.',
  },
  'gateway.auth.short_token': {
    title: 'The token is short',
    detail: 'It has {length} characters; from {minimum} on it cannot be guessed.',
    remediation: 'Remove gateway.auth.token to have a long one generated.',
  },
  'gateway.auth.short_password': {
    title: 'The password is short',
    detail: 'It has {length} characters; {minimum} and more are hard to guess.',
    remediation: 'Choose a longer gateway.auth.password, or mode "token".',
  },
  'gateway.auth.low_entropy_secret': {
    title: 'The token or password is one character, repeated',
    detail: 'It is among the first that anybody tries.',
    remediation: 'Remove gateway.auth.token to have one generated, or choose another gateway.auth.password.',
  },
  'gateway.auth.no_rate_limit': {
    title: 'Wrong credentials are not limited',
    detail: 'gateway.auth.rateLimit.enabled is false, so that secrets can be guessed at full speed.',
    remediation: 'Set gateway.auth.rateLimit.enabled to true.',
  },
  'gateway.cors.wildcard': {
    title: 'Every web page may call the API',
    detail: 'gateway.corsOrigins holds "*".',
    remediation: 'List the origins that need it in gateway.corsOrigins.',
  },
  'gateway.cors.excessive_origins': {
    title: 'Many origins may call the API',
    detail: 'gateway.corsOrigins has {count} entries.',
    remediation: 'Remove from gateway.corsOrigins what is no longer needed.',
  },
  'gateway.trusted_proxy.everyone': {
    title: 'Every caller may claim any address',
    detail: '{range} in gateway.trustedProxies holds all addresses, so that limits by address protect nobody.',
    remediation: 'Write the addresses of your own proxies into gateway.trustedProxies.',
  },
  'gateway.trusted_proxy.wide': {
    title: 'Many machines may claim any address',
    detail: '{range} in gateway.trustedProxies is more than one network of yours.',
    remediation: 'Write the addresses of your own proxies into gateway.trustedProxies.',
  },
  'gateway.trusted_proxy.loopback': {
    title: 'Programs on this machine may claim any address',
    detail: '{range} in gateway.trustedProxies is loopback: right for a reverse proxy on this machine.',
    remediation: 'Remove it from gateway.trustedProxies when no proxy runs here.',
  },
  'gateway.bind.tailnet_ip_unavailable': {
    title: 'The tailnet is not there',
    detail: 'gateway.bind is "tailnet", but no such address was up at the start: only loopback is served.',
    remediation: 'Bring the tailnet up, then stop and start the gateway.',
  },
  'gateway.bind.all_interfaces': {
    title: 'The gateway listens on all interfaces',
    detail: 'Every network that this machine is in reaches it, also those that it joins later.',
    remediation: 'Set gateway.bind to "loopback" behind a reverse proxy, or to "tailnet" or "custom".',
  },
  'gateway.transport.no_tls': {
    title: 'Credentials cross the network in the clear',
    detail: 'The gateway speaks HTTP beyond loopback, and no reverse proxy is declared.',
    remediation: 'Put a reverse proxy with TLS in front, and name it in gateway.trustedProxies.',
  },
} as const;
