import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createCredentialStore } from '../../../../worker/channels/weixin/credentials.ts';
import { temporaryDirectory } from '../../../lib/temporary-directory.ts';

const login = (botToken: string) => ({
  botToken,
  botId: 'b@im.bot',
  baseUrl: 'https://example.org',
  userId: 'o@im.wechat',
});

it('a login is kept for its owner only, and its token is told before anybody can use it', () => {
  const directory = join(temporaryDirectory(), 'credentials');
  const secrets: string[] = [];
  const store = createCredentialStore(directory, (secret) => secrets.push(secret));
  expect(store.read('default')).toBeUndefined();
  expect(store.save('default', 0, login('first'))).toBe(true);
  expect(store.read('default')).toEqual({ ...login('first'), version: 1 });
  expect(statSync(join(directory, 'weixin-default.json')).mode & 0o777).toBe(0o600);
  expect(secrets).toContain('first');
});

it('an older login never takes the place of a newer one (WX-4)', () => {
  const store = createCredentialStore(temporaryDirectory(), () => undefined);
  store.save('default', 0, login('first'));
  expect(store.save('default', 1, login('second'))).toBe(true);
  expect(store.save('default', 1, login('late'))).toBe(false);
  expect(store.read('default')?.botToken).toBe('second');
});

it.each(['', '{', '[]', '{"botToken":1}'])('a file that holds %j is as good as none', (content) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'weixin-default.json'), content);
  expect(createCredentialStore(directory, () => undefined).read('default')).toBeUndefined();
});
