import type { Logger } from '../../../../lib/log.ts';
import type {
  AccountStatus,
  ChannelContext,
  InboundMessage,
  OutboundMessage,
} from '../../../../worker/channels/plugin.ts';
import type { TelegramAccount } from '../../../../worker/channels/telegram/accounts.ts';
import { createTelegramChannel } from '../../../../worker/channels/telegram/index.ts';
import { POLL_TIMING, type PollTiming } from '../../../../worker/channels/telegram/timing.ts';
import type { TelegramEmulator } from '../../../emulators/start.ts';
import { OPEN } from '../../policies.ts';

/** The product's timing with waits that suit a test; the long poll itself stays long. */
const QUICK: PollTiming = {
  ...POLL_TIMING,
  graceMs: 2_000,
  retryMinMs: 20,
  retryMaxMs: 80,
  conflictMinMs: 50,
  conflictMaxMs: 150,
  conflictQuietMs: 0,
  leaseRetryMs: 50,
  predecessorRetryMs: 20,
  leaseAnswerMs: 200,
};

/** The signal of calls that are not cancelled. */
export const NEVER = new AbortController().signal;

/** What the gateway would have done with what the channel handed over. */
type Recorder = {
  context: ChannelContext;
  batches: { messages: readonly InboundMessage[]; cursor: string | undefined }[];
  statuses: AccountStatus[];
  logged: string[];
  /** The next calls of `receive` throw. */
  failReceive: number;
  cursor: string | undefined;
};

/** A gateway that writes down everything. */
function createRecorder(): Recorder {
  const recorder: Recorder = {
    batches: [],
    statuses: [],
    logged: [],
    failReceive: 0,
    cursor: undefined,
    context: {
      log: createLog((line) => recorder.logged.push(line)),
      async receive(_accountId, messages, cursor) {
        if (recorder.failReceive > 0) {
          recorder.failReceive -= 1;
          throw new Error('disk full');
        }
        recorder.batches.push({ messages, cursor });
        recorder.cursor = cursor;
      },
      readCursor: async () => recorder.cursor,
      onStatus: (status) => void recorder.statuses.push(status),
    },
  };
  return recorder;
}

/** A channel with one account, on the emulator or on whatever `apiRoot` says. */
export type Session = Recorder & {
  channel: ReturnType<typeof createTelegramChannel>;
  account: TelegramAccount;
  token: string;
  texts(): string[];
  messages(): InboundMessage[];
  states(): string[];
  lastError(): string | undefined;
  send(more?: Partial<OutboundMessage>, signal?: AbortSignal): Promise<{ remoteId: string }>;
};

/** Creates a session with a bot of its own; nothing is started yet. */
export async function createSession(
  emulator: TelegramEmulator,
  more: {
    timing?: Partial<PollTiming>;
    account?: Partial<TelegramAccount>;
    isRegistered?: boolean;
    /** With one the tokens are leased. */
    holder?: { stateDir: string; instanceId: string };
    token?: string;
  } = {},
): Promise<Session> {
  nextBot += 1;
  const token = more.token ?? `${nextBot}:canary-token-of-a-test-bot`;
  if (more.isRegistered !== false) await emulator.registerBot({ token, username: `bot_${nextBot}` });
  const recorder = createRecorder();
  const account = { ...createAccount(emulator.url, token), ...more.account };
  const channel = createTelegramChannel([account], { ...QUICK, ...more.timing }, more.holder);
  channel.init(recorder.context);
  const messages = () => recorder.batches.flatMap((batch) => batch.messages);
  return Object.assign(recorder, {
    channel,
    account,
    token,
    messages,
    texts: () => messages().map((message) => message.text),
    states: () => recorder.statuses.map((status) => status.state),
    lastError: () => channel.status()[0]?.lastError,
    send: (part: Partial<OutboundMessage> = {}, signal = NEVER) =>
      channel.send({ id: '1', accountId: 'default', chatId: '42', text: 'hello', ...part }, signal),
  });
}

let nextBot = 7_000;

/** A complete account. */
function createAccount(apiRoot: string, botToken: string): TelegramAccount {
  return {
    accountId: 'default',
    botToken,
    apiRoot,
    ...OPEN,
    streamMode: 'partial',
    sendRate: 1_000,
    tokenPath: 'channels.telegram.botToken or TELEGRAM_BOT_TOKEN',
  };
}

function createLog(write: (line: string) => void): Logger {
  const method = (level: string) => (fields: unknown, message?: string) =>
    write(`${level} ${message ?? ''} ${JSON.stringify(fields)}`);
  const log: Logger = {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    child: () => log,
    level: () => undefined,
  };
  return log;
}
