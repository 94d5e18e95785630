import type { ConfigInput } from '../../lib/config/schema.ts';
import {
  type LlmEmulator,
  startLlmEmulator,
  startTelegramEmulator,
  type TelegramEmulator,
} from '../emulators/start.ts';
import type { ChatSeed, TranscriptMessage } from '../emulators/telegram/control-contract.ts';
import { eventually } from './eventually.ts';

type TelegramInput = NonNullable<NonNullable<ConfigInput['channels']>['telegram']>;

/** One bot on the emulated Telegram and the people who write to it. */
export type Bot = {
  token: string;
  username: string;
  /** A person writes; in a private chat the person has the chat's id. */
  say(chat: number | ChatSeed, text: string, from?: number): Promise<void>;
  /** What the bot wrote in a chat, oldest first. */
  answers(chat: number): Promise<TranscriptMessage[]>;
  /** Waits until the bot has written so many messages in a chat; returns their texts. */
  texts(chat: number, count: number, timeoutMs?: number): Promise<string[]>;
};

/** The world outside of the gateway: a chat platform and a model provider, each a process of its own. */
export type World = {
  telegram: TelegramEmulator;
  llm: LlmEmulator;
  /** A bot nobody used before; with `privacy` off it sees everything that is said in its groups. */
  createBot(seed?: { privacy?: boolean }): Promise<Bot>;
  /** Settings for a gateway that answers with the emulated model; with a bot, also on the emulated Telegram, open to all in private. */
  configure(bot?: Bot, telegram?: TelegramInput, more?: ConfigInput): ConfigInput;
  stop(): Promise<void>;
};

/** Starts both emulators. */
export async function startWorld(): Promise<World> {
  const [telegram, llm] = await Promise.all([startTelegramEmulator(), startLlmEmulator()]);
  return {
    telegram,
    llm,
    createBot: (seed) => createBot(telegram, seed),
    configure(bot, settings = {}, more = {}) {
      const channel = { enabled: true, apiRoot: telegram.url, dmPolicy: 'open', ...settings } as const;
      return {
        providers: { emulated: { baseUrl: `${llm.url}/v1`, apiKey: 'sk-emulated-provider-key' } },
        agents: { defaults: { model: 'emulated/emu-small' } },
        ...(bot === undefined ? {} : { channels: { telegram: { botToken: bot.token, ...channel } } }),
        ...more,
      };
    },
    async stop() {
      await Promise.all([telegram.stop(), llm.stop()]);
    },
  };
}

/** A token is leased on the whole machine: programs that run side by side must not share one. */
let nextBot = 1_000_000 + process.pid * 1_000;

async function createBot(telegram: TelegramEmulator, seed: { privacy?: boolean } = {}): Promise<Bot> {
  nextBot += 1;
  const token = `${nextBot}:AAH-secret-of-the-bot_${nextBot}`;
  const username = `bot_${nextBot}`;
  await telegram.registerBot({ token, username, ...seed });
  const answers = async (chat: number): Promise<TranscriptMessage[]> =>
    (await telegram.transcript(token, chat)).messages.filter(({ from }) => from === 'bot');
  return {
    token,
    username,
    async say(chat, text, from) {
      const id = typeof chat === 'number' ? chat : chat.id;
      await telegram.userMessage({ token, chat, from: from ?? id, text });
    },
    answers,
    async texts(chat, count, timeoutMs) {
      const look = async (): Promise<TranscriptMessage[] | undefined> => {
        const seen = await answers(chat);
        return seen.length >= count ? seen : undefined;
      };
      return (await eventually(`${count} answers in chat ${chat}`, look, timeoutMs)).map(({ text }) => text);
    },
  };
}
