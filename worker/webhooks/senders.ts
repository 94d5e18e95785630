import type { Config } from '../../lib/config/schema.ts';
import type { SignedWebhook } from '../../lib/config/webhook.ts';

/** Finds how the senders sign who may bring messages of an account; undefined when none may. */
export function findSender({ channels }: Config, channel: string, accountId: string): SignedWebhook | undefined {
  const { webhook } = channels;
  if (channel !== 'webhook') return mapPlatforms(channels).get(channel);
  const { scheme, secrets, message } = { ...webhook, ...webhook.accounts[accountId] };
  if (scheme === undefined || secrets === undefined) return undefined;
  return { scheme, secrets, message };
}

/** Every secret that senders sign with. */
export function listSignatureSecrets({ channels }: Config): string[] {
  const { webhook } = channels;
  const accounts = [webhook, ...Object.values(webhook.accounts)].flatMap(({ secrets = [] }) => secrets);
  return [...accounts, ...[...mapPlatforms(channels).values()].flatMap((sender) => sender?.secrets ?? [])];
}

/** Who else than the platform brings messages of its channel. */
function mapPlatforms({ telegram, weixin }: Config['channels']): ReadonlyMap<string, SignedWebhook | undefined> {
  return new Map([
    ['telegram', telegram.webhook],
    ['weixin', weixin.webhook],
  ]);
}
