import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Rejected, Unreachable } from '../../../worker/channels/plugin.ts';
import { makeTemporaryDirectory } from '../../fixtures/programs.ts';
import { createScriptedChannel } from '../scripted-channel.ts';
import { incoming, receive, startConversations, untilIdle } from './conversations.ts';

/** A channel whose files are what the test says, each time they are asked for. */
async function start(...contents: (string | Error)[]) {
  const directory = makeTemporaryDirectory();
  onTestFinished(() => directory.remove());
  const asked: string[] = [];
  const channel = {
    ...createScriptedChannel(),
    async fetchFile(_accountId: string, ref: string) {
      asked.push(ref);
      const content = contents.shift() ?? 'content';
      if (content instanceof Error) throw content;
      return new Blob([content]).stream();
    },
  };
  const gateway = await startConversations({ channel, filesDir: directory.path });
  const question = (): string => gateway.provider.requests.at(-1)?.messages.at(-1)?.text ?? '';
  return { gateway, asked, directory: join(directory.path, 'in'), question };
}

it('a file that came in is kept, and the model is told where', async () => {
  const { gateway, directory, question } = await start('hello');
  const files = [{ kind: 'file', ref: 'f1', name: '../we ird/№1.txt' }] as const;
  await receive(gateway, incoming('1', 'read this', { files }));
  await untilIdle(gateway);
  const [folder = ''] = readdirSync(directory);
  const [name = ''] = readdirSync(join(directory, folder));
  const path = join(directory, folder, name);
  expect(readFileSync(path, 'utf8')).toBe('hello');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(question()).toBe(`read this\n[file ../we ird/№1.txt, 1 KB: ${path}]`);
  expect(name).toMatch(/^1-[^/ ]+\.txt$/);
});

it('one that is too large is not fetched, and the model is told so', async () => {
  const { gateway, asked, question, directory } = await start('x'.repeat(21 * 1_024 * 1_024));
  const files = [
    { kind: 'video', ref: 'big', sizeBytes: 50 * 1_024 * 1_024 },
    { kind: 'video', ref: 'unknown size' },
  ] as const;
  await receive(gateway, incoming('1', '', { files }));
  await untilIdle(gateway);
  expect(asked).toEqual(['unknown size']);
  expect(question().split('\n')).toEqual([
    '[video: 50 MB, too large to be fetched (20 MB at most)]',
    '[video: too large to be fetched (20 MB at most)]',
  ]);
  expect(readdirSync(directory).flatMap((folder) => readdirSync(join(directory, folder)))).toEqual([]);
});

it('one that cannot be had at first is tried again; one that is refused is not', async () => {
  const { gateway, asked, question } = await start(new Unreachable('no route'), 'x', new Rejected('file is too big'));
  const files = [
    { kind: 'voice', ref: 'a' },
    { kind: 'image', ref: 'b' },
  ] as const;
  await receive(gateway, incoming('1', '', { files }));
  await untilIdle(gateway);
  expect(asked).toEqual(['a', 'a', 'b']);
  expect(question()).toContain('[voice, 1 KB:');
  expect(question()).toContain('[image: could not be fetched (file is too big)]');
});

it('files are removed after a week', async () => {
  const { gateway, directory } = await start();
  await receive(gateway, incoming('1', '', { files: [{ kind: 'image', ref: 'a' }] }));
  await untilIdle(gateway);
  gateway.files.prune();
  const [folder = ''] = readdirSync(directory);
  const old = Date.now() / 1_000 - 8 * 24 * 3_600;
  utimesSync(join(directory, folder), old, old);
  gateway.files.prune();
  expect(readdirSync(directory)).toEqual([]);
});
