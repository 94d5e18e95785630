/** A conversation's address (SPEC 6): which agent talks with which peer, where. */
export type SessionAddress = {
  agentId: string;
  channel: string;
  accountId: string;
  peerKind: 'direct' | 'group';
  peerId: string;
  threadId?: string;
};

/** Room for every id that the API takes (256 characters), each of them escaped. */
const MAX_KEY_LENGTH = 16_384;

/**
 * The session key `{agentId}:{channel}:{accountId}:{peerKind}:{peerId}[:thread:{id}]`. Characters that would make two peers
 * collide or break a URL are percent-encoded inside their segment, so different addresses never share a key.
 */
export function formatSessionKey(address: SessionAddress): string {
  const { agentId, channel, accountId, peerKind, peerId, threadId } = address;
  const segments = [agentId, channel, accountId, peerKind, peerId];
  if (threadId !== undefined) segments.push('thread', threadId);
  return segments.map(encodeSegment).join(':');
}

/** The address behind a full session key, or undefined when the text is none. `dm` is read as `direct`. */
export function parseSessionKey(key: string): SessionAddress | undefined {
  if (key.length > MAX_KEY_LENGTH) return undefined;
  const segments = key.split(':').map(decodeSegment);
  const [agentId, channel, accountId, kind, peerId, mark, threadId] = segments;
  const peerKind = kind === 'dm' ? 'direct' : kind;
  if (!agentId || !channel || !accountId || !peerId) return undefined;
  if (peerKind !== 'direct' && peerKind !== 'group') return undefined;
  if (segments.length === 5) return { agentId, channel, accountId, peerKind, peerId };
  if (segments.length !== 7 || mark !== 'thread' || !threadId) return undefined;
  return { agentId, channel, accountId, peerKind, peerId, threadId };
}

function encodeSegment(segment: string): string {
  return segment.replace(/[%:/?#\s\p{Cc}]/gu, encodeURIComponent);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}
