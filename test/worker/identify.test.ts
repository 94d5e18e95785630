import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIdentifier } from '../../worker/identify.ts';

const hash = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

describe('the identifier', () => {
  it('knows the owner by the secret and nothing else, of whatever length', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (secret, presented) => {
        const identify = createIdentifier({ mode: 'token', secret, source: '' }, []);
        expect(identify(secret)).toEqual({ name: 'owner', scope: 'operator.admin' });
        expect(identify(presented) !== undefined).toBe(presented === secret);
        expect(identify(`${secret}x`)).toBeUndefined();
      }),
    );
  });

  it('knows named tokens by their hash, with the widest of their scopes', () => {
    const identify = createIdentifier({ mode: 'password', secret: 'password-1', source: '' }, [
      { name: 'ci', hash: hash('one'), scopes: ['operator.read', 'operator.write'] },
      { name: 'eye', hash: hash('two'), scopes: ['operator.read'] },
    ]);
    expect(identify('one')).toEqual({ name: 'ci', scope: 'operator.write' });
    expect(identify('two')).toEqual({ name: 'eye', scope: 'operator.read' });
    expect([identify(hash('one')), identify(''), identify('password-1')?.name]).toEqual([
      undefined,
      undefined,
      'owner',
    ]);
  });
});
