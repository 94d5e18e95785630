import type { FaultRule } from './core/faults.ts';
import { type EmulatorOptions, type SpawnedEmulator, spawnEmulator } from './core/spawned.ts';
import type { LlmCall, LlmSettings } from './llm/control-contract.ts';
import type {
  AlbumInput,
  BotSeed,
  ChatSeed,
  ClickInput,
  EditInput,
  FloodLimits,
  PostedAlbum,
  PostedMessage,
  TelegramCall,
  Transcript,
  UserMessageInput,
  WebhookDelivery,
} from './telegram/control-contract.ts';
import type { Stumble } from './telegram/update-queue.ts';
import type { WireUser } from './telegram/wire.ts';
import type { Confirmed, SeenMessage, WeixinCall, WeixinSettings } from './weixin/control-contract.ts';

/** What every emulator offers a test. */
export interface Emulator {
  /** Base URL without trailing slash. */
  readonly url: string;
  readonly pid: number;
  /** Arms a fault rule; rules are tried in the order they were added. */
  addFault(rule: FaultRule): Promise<void>;
  clearFaults(): Promise<void>;
  /** Jumps the emulator's clock forward; returns its new time in milliseconds. */
  advanceClock(ms: number): Promise<number>;
  /** Forgets everything: state, faults and journal. */
  reset(): Promise<void>;
  /** Ends the process; calling it again does nothing. */
  stop(): Promise<void>;
}

/** A running Telegram emulator; use `url` as `apiRoot`. */
export interface TelegramEmulator extends Emulator {
  registerBot(bot: BotSeed): Promise<WireUser>;
  revoke(token: string): Promise<void>;
  userMessage(input: UserMessageInput): Promise<PostedMessage>;
  /** Several files at once; their updates share a `media_group_id`. */
  sendAlbum(input: AlbumInput): Promise<PostedAlbum>;
  editMessage(input: EditInput): Promise<PostedMessage>;
  click(input: ClickInput): Promise<{ update_id: number | null; id: string }>;
  /** Blocks the bot in a private chat, or throws it out of a group. */
  block(token: string, chat: number, blocked?: boolean): Promise<void>;
  /** Closes the person's account for good. */
  deactivate(token: string, chat: number): Promise<void>;
  /** Lets a chat exist before anybody wrote in it. */
  createChat(token: string, chat: ChatSeed | number): Promise<void>;
  /** Upgrades a group to the supergroup `to`; sends to the old id are answered with the new one. */
  migrateGroup(token: string, chat: number, to: number): Promise<void>;
  /** Lets the server stumble when it next gives out updates: old ones come again, the order is lost. */
  stumble(token: string, stumble: Stumble): Promise<void>;
  /** Replaces the flood limits of one bot, or of all registered bots. */
  setLimits(limits: FloodLimits, token?: string): Promise<void>;
  /** Empty for a chat that does not exist yet. */
  transcript(token: string, chat: number): Promise<Transcript>;
  calls(filter?: { token?: string; method?: string }): Promise<TelegramCall[]>;
  /** The ids of the updates nobody has confirmed yet. */
  pendingUpdates(token: string): Promise<number[]>;
  deliveries(token: string): Promise<WebhookDelivery[]>;
}

/** A running model emulator; OpenAI clients use `${url}/v1`, Anthropic ones `url`, Ollama ones `url`. */
export interface LlmEmulator extends Emulator {
  configure(settings: LlmSettings): Promise<void>;
  calls(): Promise<LlmCall[]>;
}

/** A running iLink emulator; use `url` as `loginBaseUrl`. */
export interface WeixinEmulator extends Emulator {
  configure(settings: WeixinSettings): Promise<void>;
  /** A phone scans the QR code that was made last. */
  scan(): Promise<void>;
  /** The phone confirms; an older login of the same person becomes void. */
  confirm(user: string): Promise<Confirmed>;
  /** The QR code that was made last becomes void. */
  expireCode(): Promise<void>;
  /** A person writes to the bot that was logged in last. */
  say(user: string, text: string): Promise<void>;
  /** The service takes nothing more for a person until the person writes. */
  closeWindow(user: string): Promise<void>;
  /** The login of the bot becomes void. */
  voidLogin(): Promise<void>;
  /** What a person sees of the bot. */
  seen(user: string): Promise<SeenMessage[]>;
  calls(): Promise<WeixinCall[]>;
}

/** Starts the iLink emulator as its own process. */
export async function startWeixinEmulator(options: EmulatorOptions = {}): Promise<WeixinEmulator> {
  const emulator = await spawnEmulator('weixin', options);
  const { post, get } = createCalls(emulator);
  return {
    ...createShared(emulator),
    configure: (settings) => post('settings', settings),
    scan: () => post('scan', {}),
    confirm: (user) => post('confirm', { user }),
    expireCode: () => post('expire', {}),
    say: (user, text) => post('say', { user, text }),
    closeWindow: (user) => post('close', { user }),
    voidLogin: () => post('void', {}),
    seen: async (user) => (await get<{ messages: SeenMessage[] }>('seen', { user })).messages,
    calls: async () => (await get<{ calls: WeixinCall[] }>('calls', {})).calls,
  };
}

/** Starts the Telegram emulator as its own process. */
export async function startTelegramEmulator(options: EmulatorOptions = {}): Promise<TelegramEmulator> {
  const emulator = await spawnEmulator('telegram', options);
  const { post, get } = createCalls(emulator);
  return {
    ...createShared(emulator),
    registerBot: (bot) => post('bots', bot),
    revoke: (token) => post('revoke', { token }),
    userMessage: (input) => post('user-message', input),
    sendAlbum: (input) => post('album', input),
    editMessage: (input) => post('edit', input),
    click: (input) => post('click', input),
    block: (token, chat, blocked = true) => post('block', { token, chat, blocked }),
    deactivate: (token, chat) => post('block', { token, chat, reason: 'deactivated' }),
    createChat: (token, chat) => post('chats', { token, chat }),
    migrateGroup: (token, chat, to) => post('migrate', { token, chat, to }),
    stumble: (token, stumble) => post('stumble', { token, ...stumble }),
    setLimits: (limits, token) => post('limits', token === undefined ? limits : { ...limits, token }),
    transcript: (token, chat) => get('transcript', { token, chat: String(chat) }),
    calls: async (filter = {}) => (await get<{ calls: TelegramCall[] }>('calls', filter)).calls,
    pendingUpdates: async (token) => (await get<{ updateIds: number[] }>('pending', { token })).updateIds,
    deliveries: async (token) => (await get<{ deliveries: WebhookDelivery[] }>('deliveries', { token })).deliveries,
  };
}

/** Starts the model emulator as its own process. */
export async function startLlmEmulator(options: EmulatorOptions = {}): Promise<LlmEmulator> {
  const emulator = await spawnEmulator('llm', options);
  const { post, get } = createCalls(emulator);
  return {
    ...createShared(emulator),
    configure: (settings) => post('settings', settings),
    calls: async () => (await get<{ calls: LlmCall[] }>('calls', {})).calls,
  };
}

function createShared(emulator: SpawnedEmulator): Emulator {
  const { post } = createCalls(emulator);
  return {
    url: emulator.url,
    pid: emulator.pid,
    addFault: (rule) => post('faults', rule),
    clearFaults: async () => {
      await emulator.control('DELETE', '/__/faults');
    },
    advanceClock: async (ms) => (await post<{ now: number }>('clock', { advanceMs: ms })).now,
    reset: () => post('reset', {}),
    stop: emulator.stop,
  };
}

interface ControlCalls {
  post<T>(route: string, body: unknown): Promise<T>;
  get<T>(route: string, query: Record<string, string>): Promise<T>;
}

// The casts are the boundary: the contract files are compiled into both sides.
function createCalls({ control }: SpawnedEmulator): ControlCalls {
  return {
    post: async <T>(route: string, body: unknown) => (await control('POST', `/__/${route}`, body)) as T,
    get: async <T>(route: string, query: Record<string, string>) =>
      (await control('GET', `/__/${route}?${new URLSearchParams(query)}`)) as T,
  };
}
