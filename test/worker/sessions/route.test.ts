import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../../lib/config/schema.ts';
import { defaultAgentId, isAgentEnabled, resolveNamedSession, routeSession } from '../../../worker/sessions/route.ts';
import { createConfig } from '../assembled-gateway.ts';

type Scope = NonNullable<NonNullable<ConfigInput['session']>['dmScope']>;

const direct = { channel: 'telegram', accountId: 'work', peerKind: 'direct', peerId: '7' } as const;

describe('the session of a message', () => {
  it.each<[Scope | undefined, string]>([
    ['main', 'main:any:default:direct:main'],
    ['per-peer', 'main:any:default:direct:7'],
    ['per-channel-peer', 'main:telegram:default:direct:7'],
    ['per-account-channel-peer', 'main:telegram:work:direct:7'],
    [undefined, 'main:telegram:default:direct:7'],
  ])('in private with dmScope %s is %s', (dmScope, key) => {
    const config = createConfig(dmScope === undefined ? {} : { session: { dmScope } });
    expect(routeSession(config, direct)).toBe(key);
  });

  it.each<Scope>(['main', 'per-peer', 'per-channel-peer', 'per-account-channel-peer'])(
    'in a group or a topic is its own with dmScope %s',
    (dmScope) => {
      const config = createConfig({ session: { dmScope } });
      expect(routeSession(config, { ...direct, peerKind: 'group', peerId: '-1' })).toBe('main:telegram:work:group:-1');
      expect(routeSession(config, { ...direct, threadId: '5' })).toBe('main:telegram:work:direct:7:thread:5');
    },
  );
});

describe('the default agent', () => {
  it.each<[ConfigInput['agents'], string]>([
    [{}, 'main'],
    [{ default: 'helper' }, 'helper'],
    [{ list: [{ id: 'a' }, { id: 'b' }] }, 'a'],
    [{ list: [{ id: 'a' }, { id: 'b', default: true }] }, 'b'],
    [{ list: [{ id: 'a', enabled: false }, { id: 'b' }] }, 'b'],
    [{ list: [{ id: 'a', enabled: false, default: true }, { id: 'b' }] }, 'b'],
    [{ default: 'b', list: [{ id: 'a', default: true }, { id: 'b' }] }, 'b'],
    [{ list: [{ id: 'a', enabled: false }] }, 'main'],
  ])('with %j is %s', (agents, id) => {
    expect(defaultAgentId(createConfig(agents === undefined ? {} : { agents }))).toBe(id);
  });

  it('is the only one without a list; with a list, its enabled entries may be talked to', () => {
    expect(isAgentEnabled(createConfig(), 'main')).toBe(true);
    expect(isAgentEnabled(createConfig(), 'other')).toBe(false);
    const config = createConfig({ agents: { list: [{ id: 'a' }, { id: 'b', enabled: false }] } });
    expect(['a', 'b', 'main'].map((id) => isAgentEnabled(config, id))).toEqual([true, false, false]);
  });
});

describe('a session that a caller names', () => {
  const config = createConfig({ agents: { list: [{ id: 'main' }, { id: 'off', enabled: false }] } });

  it.each([
    ['default', 'main:webchat:default:direct:default'],
    ['Team_1.a@b-c', 'main:webchat:default:direct:Team_1.a@b-c'],
    ['张三', 'main:webchat:default:direct:张三'],
    ['main:telegram:work:group:-1', 'main:telegram:work:group:-1'],
    ['main:telegram:work:dm:1', 'main:telegram:work:direct:1'],
  ])('as %s is %s', (name, key) => {
    expect(resolveNamedSession(config, name)).toBe(key);
  });

  it.each(['a b', '-a', 'a/b', 'main:telegram', '../x', 'a\u0000'])('as %j is refused with what is allowed', (name) => {
    expect(() => resolveNamedSession(config, name)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });

  it.each(['off', 'nobody'])('of the agent %s does not exist', (agent) => {
    expect(() => resolveNamedSession(config, `${agent}:webchat:default:direct:1`)).toThrow(
      expect.objectContaining({ code: 'SESSION_NOT_FOUND', message: expect.stringContaining(agent) }),
    );
  });
});
