import type { Config } from '../../lib/config/schema.ts';
import { GatewayError } from '../../lib/errors.ts';
import { formatSessionKey, parseSessionKey, type SessionAddress } from './key.ts';

type Origin = { channel: string; accountId: string; peerKind: 'direct' | 'group'; peerId: string; threadId?: string };

/** The agent that answers when nothing names one: `agents.default`, the entry flagged so, the first enabled one, `main`. */
export function defaultAgentId({ agents }: Config): string {
  const enabled = agents.list.filter((agent) => agent.enabled);
  return agents.default ?? enabled.find((agent) => agent.default)?.id ?? enabled[0]?.id ?? 'main';
}

/** True when the agent may be talked to. Without a list there is one agent, the default one. */
export function isAgentEnabled(config: Config, agentId: string): boolean {
  if (config.agents.list.length === 0) return agentId === defaultAgentId(config);
  return config.agents.list.some((agent) => agent.id === agentId && agent.enabled);
}

/** Every agent that may be talked to, the default one first. */
export function listAgentIds(config: Config): string[] {
  const enabled = config.agents.list.filter((agent) => agent.enabled).map(({ id }) => id);
  return [...new Set([defaultAgentId(config), ...enabled])].filter((id) => isAgentEnabled(config, id));
}

/** The session of a message that came in. Private chats are shared as `session.dmScope` says; groups and topics have their own. */
export function routeSession(config: Config, origin: Origin, agentId = defaultAgentId(config)): string {
  return formatSessionKey({ agentId, ...scopeOrigin(config.session.dmScope, origin) });
}

/**
 * The session that an API caller names: nothing or `default` is the default web chat, a full key is itself, anything else is a
 * web chat peer. Throws INVALID_REQUEST for an impossible name and SESSION_NOT_FOUND for a key whose agent does not exist.
 */
export function resolveNamedSession(config: Config, name: string, agentId = defaultAgentId(config)): string {
  const address = parseSessionKey(name);
  if (address !== undefined) {
    if (isAgentEnabled(config, address.agentId)) return formatSessionKey(address);
    throw new GatewayError(
      'SESSION_NOT_FOUND',
      `The session's agent "${address.agentId}" does not exist or is disabled.`,
    );
  }
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._@-]{0,255}$/u.test(name)) {
    throw new GatewayError(
      'INVALID_REQUEST',
      'session must be a full session key, or start with a letter or digit and hold only letters, digits and . _ @ - (256 at most).',
    );
  }
  return formatSessionKey({ agentId, channel: 'webchat', accountId: 'default', peerKind: 'direct', peerId: name });
}

function scopeOrigin(scope: Config['session']['dmScope'], origin: Origin): Omit<SessionAddress, 'agentId'> {
  const { peerKind, peerId, channel, accountId } = origin;
  if (peerKind === 'group' || origin.threadId !== undefined) return origin;
  switch (scope) {
    case 'main':
      return { peerKind, channel: 'any', accountId: 'default', peerId: 'main' };
    case 'per-peer':
      return { peerKind, channel: 'any', accountId: 'default', peerId };
    case 'per-channel-peer':
      return { peerKind, channel, accountId: 'default', peerId };
    case 'per-account-channel-peer':
      return { peerKind, channel, accountId, peerId };
  }
}
