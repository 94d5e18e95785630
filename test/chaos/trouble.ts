import type { World } from '../e2e/world.ts';
import type { FaultRule } from '../emulators/core/faults.ts';
import type { Scene } from './scene.ts';

/** What the platform may do wrong, once. */
type Trouble = (random: () => number) => FaultRule;

const SENDS = { method: 'sendMessage' };
const POLLS = { method: 'getUpdates' };

const SEND_TROUBLES: readonly Trouble[] = [
  () => ({ match: SENDS, action: 'slow', effect: 'before', delayMs: 300 }),
  () => ({ match: SENDS, action: 'slow', effect: 'after', delayMs: 300 }),
  () => ({ match: SENDS, action: 'drop-before' }),
  () => ({ match: SENDS, action: 'drop-after' }),
  (random) => ({ match: SENDS, action: '429', retryAfter: 1, times: 1 + Math.floor(random() * 8) }),
];

/** A lost answer to a poll makes the platform hand out the same messages again. The last one is refused whatever it asks. */
const POLL_TROUBLES: readonly Trouble[] = [
  () => ({ match: POLLS, action: 'drop-before' }),
  () => ({ match: POLLS, action: 'drop-after' }),
  () => ({ match: POLLS, action: 'slow', effect: 'before', delayMs: 300 }),
  () => ({ action: '429', retryAfter: 1, times: 2 }),
];

/** Each costs a second or more in which nothing is taken in: were there many, nothing would be under way at a kill. */
const POLL_SHARE = 0.1;

/** Has the platform do one thing wrong soon: answer slowly, lose an answer or a question, or ask to wait (429), also several times. */
export async function makeTrouble(world: World, scene: Scene, random: () => number): Promise<void> {
  const troubles = random() < POLL_SHARE ? POLL_TROUBLES : SEND_TROUBLES;
  const rule = troubles[Math.floor(random() * troubles.length)]?.(random);
  if (rule === undefined) return;
  await world.telegram.addFault({ ...rule, match: { ...rule.match, token: scene.bot.token } });
}
