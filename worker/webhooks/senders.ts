import type { Config } from '../../lib/config/schema.ts';
import type { SignedWebhook } from '../../lib/config/webhook.ts';

/** Finds how the senders sign who may bring messages of an account; undefined when none may. */
export function findSender(
  { channels: { webhook, ...others } }: Config,
  channel: string,
  accountId: string,
): SignedWebhook | undefined {
  if (channel !== 'webhook') return Object.entries(others).find(([id]) => id === channel)?.[1].webhook;
  const { scheme, secrets, message } = { ...webhook, ...webhook.accounts[accountId] };
  if (scheme === undefined || secrets === undefined) return undefined;
  return { scheme, secrets, message };
}

/** Every secret that senders sign with. */
export function listSignatureSecrets({ channels: { webhook, ...others } }: Config): string[] {
  const accounts = [webhook, ...Object.values(webhook.accounts)].flatMap(({ secrets = [] }) => secrets);
  return [...accounts, ...Object.values(others).flatMap((channel) => channel.webhook?.secrets ?? [])];
}
