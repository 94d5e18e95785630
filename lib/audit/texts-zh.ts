import type { auditEn } from './texts-en.ts';

/** The same in Chinese. */
export const auditZh: Readonly<Record<keyof typeof auditEn, { title: string; detail: string; remediation: string }>> = {
  'gateway.auth.none_on_network': {
    title: '网络中任何人都是所有者',
    detail: 'gateway.auth.mode 为 "none",且网关监听在回环地址之外。',
    remediation: '将 gateway.auth.mode 设为 "token",或将 gateway.bind 设为 "loopback"。',
  },
  'gateway.auth.none_loopback': {
    title: '本机任何程序都是所有者',
    detail: 'gateway.auth.mode 为 "none";只有其他机器的网页会被拒绝。',
    remediation: '除非是开发机器,请将 gateway.auth.mode 设为 "token"。',
  },
  'gateway.auth.auto_generated_token': {
    title: '令牌为自动生成',
    detail: '未配置令牌;使用并保留 credentials/gateway-token 中的令牌。',
    remediation: '无需处理。用 "xopc gateway token" 查看。',
  },
  'gateway.auth.short_token': {
    title: '令牌过短',
    detail: '令牌有 {length} 个字符;{minimum} 个及以上才无法猜中。',
    remediation: '删除 gateway.auth.token,由网关生成长令牌。',
  },
  'gateway.auth.short_password': {
    title: '密码过短',
    detail: '密码有 {length} 个字符;{minimum} 个及以上较难猜中。',
    remediation: '设置更长的 gateway.auth.password,或使用 "token" 模式。',
  },
  'gateway.auth.low_entropy_secret': {
    title: '令牌或密码只是同一字符的重复',
    detail: '这是任何人最先尝试的内容。',
    remediation: '删除 gateway.auth.token 以自动生成,或更换 gateway.auth.password。',
  },
  'gateway.auth.no_rate_limit': {
    title: '错误凭证没有限流',
    detail: 'gateway.auth.rateLimit.enabled 为 false,凭证可以被全速猜测。',
    remediation: '将 gateway.auth.rateLimit.enabled 设为 true。',
  },
  'gateway.cors.wildcard': {
    title: '任何网页都可以调用 API',
    detail: 'gateway.corsOrigins 含有 "*"。',
    remediation: '在 gateway.corsOrigins 中列出需要的来源。',
  },
  'gateway.cors.excessive_origins': {
    title: '可调用 API 的来源过多',
    detail: 'gateway.corsOrigins 有 {count} 项。',
    remediation: '从 gateway.corsOrigins 中删除不再需要的来源。',
  },
  'gateway.trusted_proxy.everyone': {
    title: '任何调用者都可以冒称任意地址',
    detail: 'gateway.trustedProxies 中的 {range} 包含所有地址,按地址的限制形同虚设。',
    remediation: '在 gateway.trustedProxies 中写入自己的代理地址。',
  },
  'gateway.trusted_proxy.wide': {
    title: '许多机器可以冒称任意地址',
    detail: 'gateway.trustedProxies 中的 {range} 超出了自己的一个网络。',
    remediation: '在 gateway.trustedProxies 中写入自己的代理地址。',
  },
  'gateway.trusted_proxy.loopback': {
    title: '本机程序可以冒称任意地址',
    detail: 'gateway.trustedProxies 中的 {range} 是回环地址:本机有反向代理时才正确。',
    remediation: '本机没有代理时,请从 gateway.trustedProxies 中删除。',
  },
  'gateway.bind.tailnet_ip_unavailable': {
    title: 'tailnet 不可用',
    detail: 'gateway.bind 为 "tailnet",但启动时没有这样的地址:只监听回环地址。',
    remediation: '启用 tailnet 后,停止并重新启动网关。',
  },
  'gateway.bind.all_interfaces': {
    title: '网关监听所有网络接口',
    detail: '本机所在的每个网络都能访问它,包括以后加入的网络。',
    remediation: '在反向代理之后将 gateway.bind 设为 "loopback",或设为 "tailnet"、"custom"。',
  },
  'gateway.transport.no_tls': {
    title: '凭证以明文经过网络',
    detail: '网关在回环地址之外使用 HTTP,且没有声明反向代理。',
    remediation: '在前面放置带 TLS 的反向代理,并写入 gateway.trustedProxies。',
  },
};
