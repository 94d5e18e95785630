import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TranscriptMessage } from '../emulators/telegram/control-contract.ts';
import { type FileServer, startFileServer } from '../fixtures/file-server.ts';
import { eventually } from './eventually.ts';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { type Bot, startWorld, type World } from './world.ts';

/** A picture as far as the platform looks at it. */
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(200_000, 'picture')]);
const team = { id: -100_800, type: 'supergroup', title: 'Team' } as const;

let world: World;
let bot: Bot;
let server: FileServer;
let gateway: Gateway;

beforeAll(async () => {
  world = await startWorld();
  bot = await world.createBot({ privacy: false });
  server = await startFileServer((request, response) => {
    if (request.url?.startsWith('/cat.png') !== true) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': 'image/png' }).end(PNG);
  });
  gateway = await startGateway({
    config: world.configure(bot, { groupPolicy: 'open' }, { outbox: { mediaHosts: [server.host] } }),
  });
});
afterAll(async () => {
  await stopAll();
  server.close();
  await world.stop();
});

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** The files that the model was told of, in the last line of each. */
function pathsIn(text: string): string[] {
  return [...text.matchAll(/^ *\[[^\]]*: (\/[^\]]+)\]$/gm)].map(([, path = '']) => path);
}

describe('what people send', () => {
  it('is fetched, and the model is told what it is and where', async () => {
    const file = { kind: 'photo', contentBase64: PNG.toString('base64') } as const;
    await world.telegram.userMessage({ token: bot.token, chat: 11, from: 11, text: 'what is this?', file });
    const [answer = ''] = await bot.texts(11, 1);
    expect(answer).toMatch(/^echo: what is this\?\n\[image photo\.jpg, 196 KB: \//);
    const [path = ''] = pathsIn(answer);
    expect(sha256(readFileSync(path))).toBe(sha256(PNG));
  });

  it('and is too large is told to the model as such', async () => {
    const file = { kind: 'video', name: 'film.mp4', sizeBytes: 30 * 1_048_576 } as const;
    await world.telegram.userMessage({ token: bot.token, chat: 12, from: 12, file });
    expect(await bot.texts(12, 1)).toEqual(['echo: [video film.mp4: 30 MB, too large to be fetched (20 MB at most)]']);
  });

  it('as an album in a group is one question, when one caption names the bot', async () => {
    const files = [1, 2, 3].map((index) => ({ kind: 'photo', sizeBytes: 1_000 + index }) as const);
    const captioned = files.map((file, index) =>
      index === 1 ? { ...file, caption: `@${bot.username} compare` } : file,
    );
    await world.telegram.sendAlbum({ token: bot.token, chat: team, from: 21, files });
    await world.telegram.sendAlbum({ token: bot.token, chat: team, from: 21, files: captioned });
    const [answer = ''] = await bot.texts(team.id, 1);
    expect(answer).toMatch(/^echo: User \d+: compare\n/);
    expect(pathsIn(answer).map((path) => readFileSync(path).length)).toEqual([1_001, 1_002, 1_003]);
    await bot.say(13, 'a later message elsewhere');
    await bot.texts(13, 1);
    expect(await bot.answers(team.id)).toHaveLength(1);
  });
});

describe('POST /api/message with media_url', () => {
  const post = async (body: object): Promise<Record<string, unknown>> => {
    const reply = await gateway.request('/api/message', { method: 'POST', body: { channel: 'telegram', ...body } });
    if (reply.status !== 200) throw new Error(reply.text);
    return reply.body;
  };

  const files = async (chat: number, count: number): Promise<TranscriptMessage[]> => {
    await bot.texts(chat, count, 20_000);
    return bot.answers(chat);
  };

  it('shows a picture of an allowed host, and one that comes with the request', async () => {
    await bot.say(31, 'hi');
    await bot.texts(31, 1);
    await post({ chat_id: '31', content: 'a **cat**', media_url: `${server.url}/cat.png?key=secret` });
    await post({ chat_id: '31', media_url: `data:image/png;base64,${PNG.toString('base64')}`, media_type: 'document' });
    const [, first, second] = await files(31, 3);
    expect(first).toMatchObject({ text: 'a cat', file: { kind: 'photo', name: 'cat.png', sha256: sha256(PNG) } });
    expect(second).toMatchObject({ text: '', file: { kind: 'document', sha256: sha256(PNG) } });
    const listed = await runXopc(gateway.home, ['gateway', 'outbox', 'list', '--state', 'all']);
    expect(listed.stdout).toContain('[cat.png] a **cat**');
    expect(gateway.home.readLog()).not.toContain('key=secret');
  });

  it.each([
    ['another port of this machine', () => `${gateway.url}/health`],
    ['the metadata service of a cloud', () => 'http://169.254.169.254/latest/meta-data/'],
    ['what is not there', () => `${server.url}/dog.png`],
  ])('refuses %s', async (_what, url) => {
    const body = { channel: 'telegram', chat_id: '31', content: 'x', media_url: url() };
    const reply = await gateway.request('/api/message', { method: 'POST', body });
    expect(reply.status).toBe(400);
    expect(reply.text).toContain('The file at media_url cannot be had');
  });

  it('loses nothing when the worker is killed before it could send, and sends once', async () => {
    await bot.say(32, 'hi');
    await bot.texts(32, 1);
    await world.telegram.addFault({ match: { method: 'sendPhoto', token: bot.token }, action: '429', retryAfter: 3 });
    const { message_id: id } = await post({ chat_id: '32', content: 'look', media_url: `${server.url}/cat.png` });
    await eventually('the first try', async () => {
      const { body } = await gateway.request(`/api/message/${String(id)}`);
      return JSON.stringify(body).includes('"attempts":1') && JSON.stringify(body).includes('"queued"');
    });
    const worker = gateway.workerPid();
    const fetched = server.requests.length;
    await gateway.kill('worker');
    await gateway.nextWorker(worker);
    const [, photo] = await files(32, 2);
    expect(photo).toMatchObject({ text: 'look', file: { kind: 'photo', sha256: sha256(PNG) } });
    await bot.say(32, 'still there?');
    await bot.texts(32, 3);
    expect((await bot.answers(32)).filter(({ file }) => file !== undefined)).toHaveLength(1);
    expect(server.requests).toHaveLength(fetched);
    expect(readdirSync(join(gateway.home.stateDir, 'files', 'out')).filter((name) => name.endsWith('.part'))).toEqual(
      [],
    );
  });
});

it('the token of the bot is in no log', () => {
  expect(gateway.home.readLog()).not.toContain(bot.token);
});
