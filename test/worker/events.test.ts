import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createEventHub, type GatewayEvent } from '../../worker/events.ts';

function collect(): { seen: GatewayEvent[]; listen: (event: GatewayEvent) => void } {
  const seen: GatewayEvent[] = [];
  return { seen, listen: (event) => void seen.push(event) };
}

describe('the event hub', () => {
  it('tells every listener of what happens from now on, until it stops', () => {
    const hub = createEventHub();
    hub.publish('message.sent', { n: 0 });
    const [first, second] = [collect(), collect()];
    const subscription = hub.subscribe(first.listen);
    hub.subscribe(second.listen);
    hub.publish('message.sent', { n: 1 }, 'session');
    subscription.stop();
    hub.publish('message.failed', { n: 2 });
    expect(first.seen).toMatchObject([{ type: 'message.sent', session: 'session', data: { n: 1 } }]);
    expect(second.seen).toHaveLength(2);
  });

  it('gives rising ids that differ between two hubs', () => {
    const [left, right] = [createEventHub(), createEventHub()];
    const { seen, listen } = collect();
    left.subscribe(listen);
    right.subscribe(listen);
    for (const hub of [left, left, right]) hub.publish('message.sent', {});
    expect(seen[0]?.id).toMatch(/^[0-9a-f]{8}-1$/);
    expect(seen[1]?.id).toBe(seen[0]?.id.replace(/1$/, '2'));
    expect(seen[2]?.id).not.toBe(seen[0]?.id);
  });

  it('repeats what was missed since an id, in order', () => {
    const hub = createEventHub();
    const { seen, listen } = collect();
    hub.subscribe(listen);
    for (let n = 1; n <= 5; n += 1) hub.publish('message.sent', { n });
    const again = hub.subscribe(() => undefined, seen[2]?.id);
    expect(again).toMatchObject({ hasGap: false, missed: [{ data: { n: 4 } }, { data: { n: 5 } }] });
    expect(hub.subscribe(() => undefined, seen[4]?.id)).toMatchObject({ hasGap: false, missed: [] });
  });

  it('knows the place of a subscriber before its first event', () => {
    const hub = createEventHub();
    const { position } = hub.subscribe(() => undefined);
    hub.publish('message.sent', { n: 1 });
    expect(hub.subscribe(() => undefined, position)).toMatchObject({ hasGap: false, missed: [{ data: { n: 1 } }] });
  });

  it('says so when something was missed that it has forgotten', () => {
    const hub = createEventHub();
    const { seen, listen } = collect();
    hub.subscribe(listen);
    for (let n = 1; n <= 1_002; n += 1) hub.publish('message.sent', { n });
    expect(hub.subscribe(() => undefined, seen[0]?.id).hasGap).toBe(true);
    expect(hub.subscribe(() => undefined, seen[1]?.id)).toMatchObject({ hasGap: false, missed: { length: 1_000 } });
  });

  it('forgets what is older than five minutes', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const hub = createEventHub();
    const { seen, listen } = collect();
    hub.subscribe(listen);
    hub.publish('message.sent', { n: 1 });
    hub.publish('message.sent', { n: 2 });
    vi.setSystemTime(Date.now() + 5 * 60_000 + 1);
    hub.publish('message.sent', { n: 3 });
    expect(hub.subscribe(() => undefined, seen[0]?.id)).toMatchObject({
      missed: expect.not.arrayContaining([seen[0]]),
    });
    expect(hub.subscribe(() => undefined, seen[1]?.id)).toMatchObject({ hasGap: false, missed: [{ data: { n: 3 } }] });
  });

  it.each(['', 'nonsense', 'deadbeef-1', '-', 'x-y-z'])('takes the foreign id "%s" as a gap', (id) => {
    const hub = createEventHub();
    hub.publish('message.sent', {});
    expect(hub.subscribe(() => undefined, id)).toMatchObject({ hasGap: true, missed: [] });
  });

  it('takes an id of the future as a gap', () => {
    const hub = createEventHub();
    const { seen, listen } = collect();
    hub.subscribe(listen);
    hub.publish('message.sent', {});
    expect(hub.subscribe(() => undefined, `${seen[0]?.id}0`).hasGap).toBe(true);
  });
});
