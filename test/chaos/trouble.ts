import type { World } from '../e2e/world.ts';
import type { FaultRule } from '../emulators/core/faults.ts';
import type { Scene } from './scene.ts';

/** What the platform may do wrong, once. */
type Trouble = (random: () => number) => FaultRule;

const SENDS = { method: 'sendMessage' };
const EDITS = { method: 'editMessageText' };
const POLLS = { method: 'getUpdates' };

const SEND_TROUBLES: readonly Trouble[] = [
  () => ({ match: SENDS, action: 'slow', effect: 'before', delayMs: 300 }),
  () => ({ match: SENDS, action: 'slow', effect: 'after', delayMs: 300 }),
  () => ({ match: SENDS, action: 'drop-before' }),
  () => ({ match: SENDS, action: 'drop-after' }),
  (random) => ({ match: SENDS, action: '429', retryAfter: 1, times: 1 + Math.floor(random() * 8) }),
  () => ({ match: EDITS, action: 'drop-before' }),
  () => ({ match: EDITS, action: 'drop-after' }),
  () => ({ match: EDITS, action: 'slow', effect: 'before', delayMs: 300 }),
  () => ({ match: EDITS, action: '429', retryAfter: 1 }),
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

/** How often old messages come again or the order is lost, which costs nothing. */
const STUMBLE_SHARE = 0.2;

/** Has the platform do one thing wrong soon: answer slowly, lose an answer or a question, ask to wait (429), also several times, or hand out old messages again and in disorder. */
export async function makeTrouble(world: World, scene: Scene, random: () => number): Promise<void> {
  if (random() < STUMBLE_SHARE) {
    await world.telegram.stumble(scene.bot.token, {
      repeat: Math.floor(random() * 20),
      isShuffled: random() < 0.5,
    });
    return;
  }
  const troubles = random() < POLL_SHARE ? POLL_TROUBLES : SEND_TROUBLES;
  const rule = troubles[Math.floor(random() * troubles.length)]?.(random);
  if (rule === undefined) return;
  await world.telegram.addFault({ ...rule, match: { ...rule.match, token: scene.bot.token } });
}
