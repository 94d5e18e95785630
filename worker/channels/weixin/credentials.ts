import { join } from 'node:path';
import { ensurePrivateDirectory, readTextIfExists, writeFileAtomic } from '../../../lib/fs.ts';

/** What a login brings. */
export type Credentials = {
  /** Rises with each login, so that an older one never takes the place of a newer one (WX-4). */
  version: number;
  botToken: string;
  botId: string;
  /** Server of this bot, without a trailing slash. */
  baseUrl: string;
  /** Who scanned the QR code. */
  userId: string | undefined;
};

/** The logins of all accounts, each in a file that only its owner reads. */
export type CredentialStore = {
  /** Undefined before the first login. */
  read(accountId: string): Credentials | undefined;
  /** Stores a login that began when the version was `since`, 0 for none. False when another one came first. */
  save(accountId: string, since: number, login: Omit<Credentials, 'version'>): boolean;
};

/** Keeps logins in a directory; `onSecret` is told each token before it is used. */
export function createCredentialStore(directory: string, onSecret: (secret: string) => void): CredentialStore {
  const fileOf = (accountId: string): string => join(directory, `weixin-${accountId}.json`);
  const read = (accountId: string): Credentials | undefined => {
    const credentials = parse(readTextIfExists(fileOf(accountId)));
    if (credentials !== undefined) onSecret(credentials.botToken);
    return credentials;
  };
  return {
    read,
    save(accountId, since, login) {
      const version = read(accountId)?.version ?? 0;
      if (version !== since) return false;
      onSecret(login.botToken);
      ensurePrivateDirectory(directory);
      writeFileAtomic(fileOf(accountId), `${JSON.stringify({ ...login, version: since + 1 }, null, 2)}\n`);
      return true;
    },
  };
}

/** A file that makes no sense is as good as none: a new login replaces it. */
function parse(text: string | undefined): Credentials | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isCredentials(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== 'object' || value === null) return false;
  const isText = (name: string): boolean => typeof (value as Record<string, unknown>)[name] === 'string';
  return (
    isText('botToken') &&
    isText('botId') &&
    isText('baseUrl') &&
    'version' in value &&
    typeof value.version === 'number'
  );
}
