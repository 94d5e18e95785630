import type { AccountPolicy } from '../../lib/account-policy.ts';
import type { Logger } from '../../lib/log.ts';
import type { InboundMessage } from '../channels/plugin.ts';
import type { Store } from '../store/index.ts';
import { type Admission, judge } from './admission.ts';
import type { Outbound, Target } from './outbound.ts';

export type GateOptions = {
  store: Store;
  outbound: Outbound;
  policyOf(channel: string, accountId: string): AccountPolicy;
  log: Logger;
};

/**
 * What is let in: questions are answered; an aside is a part of an album of which another part may ask; what people who may be
 * heard say to others is worth knowing before the next question; an edit changes what was let in before.
 */
export type LetIn = { message: InboundMessage; as: 'question' | 'aside' | 'overheard' | 'edit' };

export type Gate = {
  /** Returns what is let in of what a channel received, in order, and tells strangers their pairing code. */
  letIn(channel: string, messages: readonly InboundMessage[]): Promise<LetIn[]>;
};

/** Stands between the channels and the inbox. */
export function createGate(options: GateOptions): Gate {
  const { store, policyOf } = options;
  const log = createGateLog(options.log);
  return {
    async letIn(channel, messages) {
      const letIn: LetIn[] = [];
      for (const message of messages) {
        // It was judged when it was written; to answer the new wording would be to answer twice.
        if (message.isEdit === true) {
          letIn.push({ message, as: 'edit' });
          continue;
        }
        const policy = policyOf(channel, message.accountId);
        const admission = await judge({ channel, ...message }, policy, store.pairings);
        log(channel, message, admission);
        if (admission.verdict === 'allow') letIn.push({ message, as: 'question' });
        if (admission.verdict === 'context')
          letIn.push({ message, as: message.albumId === undefined ? 'overheard' : 'aside' });
        if (admission.verdict === 'pair') {
          const target = { channel, accountId: message.accountId, chatId: message.peer.id };
          await tellCode(options.outbound, target, admission.code);
        }
      }
      return letIn;
    },
  };
}

/** Writes down who was turned away, with the ids that would let them in. */
function createGateLog(log: Logger): (channel: string, message: InboundMessage, admission: Admission) => void {
  /** Accounts whose crowd of strangers was logged: further ones are not, until somebody is told a code again. */
  const crowded = new Set<string>();
  return (channel, message, admission) => {
    const { verdict } = admission;
    if (verdict === 'allow' || verdict === 'context') return;
    const key = `${channel}/${message.accountId}`;
    const fields = { channel, account: message.accountId, chat: message.peer.id, sender: message.senderId, verdict };
    if (verdict === 'pair') crowded.delete(key);
    if (verdict === 'drop' && admission.reason === 'crowded') {
      if (!crowded.has(key)) log.warn(fields, TOO_MANY);
      crowded.add(key);
      return;
    }
    // What strangers in a group say to each other would fill the log.
    if (message.isAddressed) log.info(fields, NOT_LET_IN);
    else log.debug(fields, NOT_LET_IN);
  };
}

const NOT_LET_IN = 'A message was not let in';
const TOO_MANY =
  'Three people wait for their pairing already; more are not told a code. See: xopc gateway pairing list, approve, revoke';

/** Sent before the cursor moves on, once per code: a crash in between neither loses it nor tells it twice. */
async function tellCode(outbound: Outbound, target: Target, code: string): Promise<void> {
  const text = `This assistant does not know you yet. Ask its owner to approve the code ${code}:\n\nxopc gateway pairing approve ${code}`;
  await outbound.enqueue({ target, text }, { key: `pair-${code}` });
}
