import type { AccountPolicy } from '../../lib/account-policy.ts';
import type { Logger } from '../../lib/log.ts';
import type { InboundMessage } from '../channels/plugin.ts';
import type { Store } from '../store/index.ts';

type MoveOptions = {
  store: Pick<Store, 'peers'>;
  policyOf(channel: string, accountId: string): AccountPolicy;
  log: Logger;
};

/**
 * Lets conversations follow their chats to the ids they have now, as often as it is told. Returns the messages that say
 * something. A setting that names the old id is the operator's to change: it is logged.
 */
export async function followMoves(
  { store, policyOf, log }: MoveOptions,
  channel: string,
  messages: readonly InboundMessage[],
): Promise<InboundMessage[]> {
  const said: InboundMessage[] = [];
  for (const message of messages) {
    const { accountId, peer, movedFrom: from } = message;
    if (from === undefined) {
      said.push(message);
      continue;
    }
    await store.peers.move(channel, accountId, from, peer.id);
    const fields = { channel, account: accountId, from, to: peer.id };
    log.info(fields, 'A chat has a new id');
    const { groups } = policyOf(channel, accountId);
    if (groups.has(from) && !groups.has(peer.id)) {
      log.warn(
        fields,
        `The group ${from} is now ${peer.id}: change the key "${from}" to "${peer.id}" in channels.${channel}.groups or channels.${channel}.accounts.${accountId}.groups, then restart the gateway. Until then its rule does not hold.`,
      );
    }
  }
  return said;
}
