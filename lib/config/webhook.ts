import * as v from 'valibot';
import type { FieldProblem } from '../errors.ts';
import { explainStandardSecret, SIGNATURE_SCHEMES } from '../webhook-signature.ts';
import { describe } from './describe.ts';

const template = v.pipe(v.string(), v.nonEmpty());

const signedFields = {
  scheme: v.picklist(SIGNATURE_SCHEMES),
  secrets: v.pipe(
    v.array(v.pipe(v.string(), v.minLength(16, 'must have 16 characters or more'))),
    v.minLength(1, 'must hold a secret'),
    v.maxLength(8, 'must hold 8 secrets or fewer'),
  ),
  message: v.object({
    chatId: describe(v.optional(template, 'default'), 'Id of the chat.'),
    senderId: describe(v.optional(template), 'Id of the sender. Left out: that of the chat.'),
    senderName: describe(v.optional(template), 'Name of the sender.'),
    content: describe(template, 'What the agent is told.'),
    messageId: describe(v.optional(template), 'Id of the event: the same one is taken in once.'),
  }),
};

const descriptions = {
  scheme:
    'How senders sign: "standard" (standardwebhooks.com), "github", "stripe", "slack", or "hmac" (X-Timestamp and X-Signature) for programs of your own.',
  secrets: 'What senders sign with. Several while one is being changed for another.',
  message:
    'What a body of another form than {"event", "data"} says: texts with {{field.of.body}} in them. Left out: the body must have that form.',
};

/** `channels.<id>.webhook`: how senders with a secret of their own bring messages of a channel. */
export const signedWebhook = v.object({
  scheme: describe(signedFields.scheme, descriptions.scheme),
  secrets: describe(signedFields.secrets, descriptions.secrets),
  message: describe(v.optional(signedFields.message), descriptions.message),
});

export type SignedWebhook = v.InferOutput<typeof signedWebhook>;

const account = {
  enabled: describe(v.optional(v.boolean()), 'False: this account does not run.'),
  scheme: describe(v.optional(signedFields.scheme), descriptions.scheme),
  secrets: describe(v.optional(signedFields.secrets), descriptions.secrets),
  message: describe(v.optional(signedFields.message), descriptions.message),
  callbackUrl: describe(
    v.optional(
      v.pipe(v.string(), v.regex(/^https?:\/\/[^/?#]+/, 'must be a URL that begins with https:// or http://')),
    ),
    'Where answers are posted, signed as Standard Webhooks. Left out: they are read from the events and the session.',
  ),
  callbackSecret: describe(v.optional(v.string()), 'What answers are signed with: "whsec_" and base64.'),
  dmPolicy: describe(
    v.optional(v.picklist(['pairing', 'allowlist', 'open', 'disabled'])),
    'Whose messages are let in, by sender_id, besides that their sender must hold a secret. Default open.',
  ),
  allowFrom: describe(v.optional(v.array(v.string())), 'Values of sender_id that need no pairing; "*" is anyone.'),
  textChunkLimit: describe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000))),
    'Longest part of an answer, 1 to 100000 characters. Default 100000.',
  ),
};

/** `channels.webhook`: what holds for every account, and the accounts. */
export const webhook = v.object({
  ...account,
  enabled: describe(v.optional(v.boolean(), false), 'Whether the channel runs.'),
  callbackHosts: describe(
    v.optional(
      v.array(
        v.pipe(
          v.string(),
          v.regex(/^[^\s/@?#]+$/, 'must be a host as it stands in a URL, such as "nas.lan:8080"'),
          v.toLowerCase(),
        ),
      ),
      [],
    ),
    'Hosts of your own network, with their port unless it is the usual one, that callbackUrl may name. Left out: only the public internet.',
  ),
  accounts: describe(
    v.optional(v.record(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]{0,31}$/)), v.object(account)), {}),
    'Accounts by id; each may set the same keys.',
  ),
});

/** What types cannot say of how senders sign; `path` is where it stands. */
export function findSignatureContradictions(
  path: string,
  { scheme, secrets = [] }: { scheme?: string | undefined; secrets?: readonly string[] | undefined },
): FieldProblem[] {
  if ((scheme === undefined) !== (secrets.length === 0))
    return [{ path, message: 'has only one of scheme and secrets; senders are recognized by both' }];
  if (scheme !== 'standard') return [];
  return secrets.flatMap((secret, index) => {
    const message = explainStandardSecret(secret);
    return message === undefined ? [] : [{ path: `${path}.secrets.${index}`, message }];
  });
}

/** What types cannot say of `channels.webhook`. */
export function findWebhookContradictions(config: v.InferOutput<typeof webhook>): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const check = (path: string, given: typeof config | (typeof config.accounts)[string]): void => {
    problems.push(...findSignatureContradictions(path, given));
    if (given.callbackSecret !== undefined) {
      const message = explainStandardSecret(given.callbackSecret);
      if (message !== undefined) problems.push({ path: `${path}.callbackSecret`, message });
    }
    if (given.callbackUrl !== undefined && (given.callbackSecret ?? config.callbackSecret) === undefined)
      problems.push({
        path: `${path}.callbackSecret`,
        message: 'is needed by callbackUrl: answers are signed with it',
      });
  };
  check('channels.webhook', config);
  for (const [id, given] of Object.entries(config.accounts)) check(`channels.webhook.accounts.${id}`, given);
  return problems;
}
