import type { Logger } from '../../lib/log.ts';
import type { Delivery, Outbound } from './outbound.ts';

/** Where the owner reads what needs a person. */
export type OwnerChat = { channel: string; accountId: string; chatId: string };

export type AlertsOptions = {
  /** Left out: alerts are log lines and events only. */
  owner: OwnerChat | undefined;
  outbound: () => Pick<Outbound, 'enqueue'>;
  log: Logger;
};

export type Alerts = {
  /** Tells the owner, at most once per topic and hour, over restarts too (IN-3). Never fails. */
  tell(topic: string, text: string): void;
  /** True for a chat in which alerts are told: what fails there is not told there again. */
  isOwner(chat: OwnerChat): boolean;
};

const HOUR_MS = 3_600_000;

/** Creates the way to the owner's own chat. */
export function createAlerts({ owner, outbound, log }: AlertsOptions): Alerts {
  return {
    tell(topic, text) {
      if (owner === undefined) return;
      const delivery: Delivery = { target: owner, text, kind: 'notice' };
      const key = `alert:${topic}:${Math.floor(Date.now() / HOUR_MS)}`;
      outbound()
        .enqueue(delivery, { key })
        .catch((error: unknown) => log.error({ err: error, topic }, 'The owner could not be told'));
    },
    isOwner: (chat) =>
      owner !== undefined &&
      owner.channel === chat.channel &&
      owner.accountId === chat.accountId &&
      owner.chatId === chat.chatId,
  };
}
