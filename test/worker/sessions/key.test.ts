import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSessionKey, parseSessionKey, type SessionAddress } from '../../../worker/sessions/key.ts';

const segment = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 256 }),
  fc.string({
    unit: fc.constantFrom(':', '%', '/', '#', '?', ' ', 'a', '3', '\n', '\u3000'),
    minLength: 1,
    maxLength: 256,
  }),
);

const addresses: fc.Arbitrary<SessionAddress> = fc
  .record(
    {
      agentId: segment,
      channel: segment,
      accountId: segment,
      peerKind: fc.constantFrom('direct', 'group'),
      peerId: segment,
      threadId: segment,
    },
    { requiredKeys: ['agentId', 'channel', 'accountId', 'peerKind', 'peerId'] },
  )
  .map((address) => address as SessionAddress);

describe('a session key', () => {
  it('is the parts of its address', () => {
    const address = {
      agentId: 'main',
      channel: 'telegram',
      accountId: 'default',
      peerKind: 'group',
      peerId: '-100',
    } as const;
    expect(formatSessionKey(address)).toBe('main:telegram:default:group:-100');
    expect(formatSessionKey({ ...address, threadId: '7' })).toBe('main:telegram:default:group:-100:thread:7');
  });

  it('leads back to its address, whatever is in it', () => {
    fc.assert(
      fc.property(addresses, (address) => {
        expect(parseSessionKey(formatSessionKey(address))).toEqual(address);
      }),
    );
  });

  it('is never the same for two addresses', () => {
    fc.assert(
      fc.property(addresses, addresses, (left, right) => {
        const isSame = JSON.stringify(Object.entries(left).sort()) === JSON.stringify(Object.entries(right).sort());
        expect(formatSessionKey(left) === formatSessionKey(right)).toBe(isSame);
      }),
    );
  });

  it('fits into a path without being taken apart', () => {
    const key = formatSessionKey({ agentId: 'a', channel: 'b', accountId: 'c', peerKind: 'direct', peerId: 'x:/?# %' });
    expect(key.split(':')).toHaveLength(5);
    expect(key).not.toMatch(/[/?#\s]/);
  });

  it('may say dm for direct', () => {
    expect(parseSessionKey('main:test:default:dm:1')?.peerKind).toBe('direct');
  });

  it.each([
    '',
    'main',
    'default',
    'main:test:default:direct',
    'main:test:default:direct:',
    ':test:default:direct:1',
    'main:test:default:channel:1',
    'main:test:default:direct:1:thread',
    'main:test:default:direct:1:topic:7',
    'main:test:default:direct:1:thread:',
    'main:test:default:direct:1:thread:7:8',
    'main:test:default:direct:%zz',
    `main:test:default:direct:${'x'.repeat(100_000)}`,
  ])('is not %s', (text) => {
    expect(parseSessionKey(text)).toBeUndefined();
  });
});
