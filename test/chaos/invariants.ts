import type { TelegramCall, TranscriptMessage } from '../emulators/telegram/control-contract.ts';

/** A message of a person and the whole answer that the model gives to it. */
export type Asked = { chat: number; answer: string };

/** What was seen from outside while the gateway was mistreated. Times are epoch milliseconds. */
export type Evidence = {
  /** In the order they were written. */
  asked: readonly Asked[];
  /** What the bot wrote, per chat. */
  answers: ReadonlyMap<number, readonly Pick<TranscriptMessage, 'text'>[]>;
  calls: readonly TelegramCall[];
  /** When something was killed. */
  kills: readonly number[];
  /** Everything that was logged or printed. */
  logs: string;
  secrets: readonly string[];
};

/** How the gateway marks a text that may be there already (OUT-1). */
const REPEAT = /\s*\(possible repeat[^)]*\)$/;

/** What stands for the answer to a message whose turn was interrupted twice (RESUME-1). */
const SET_ASIDE = /^Your message interrupted the gateway twice/;

/** A commit or a hang-up may be heard of this much later than it happened. */
const SLACK_MS = 300;

/**
 * Everything that must never happen and did, in words; empty when all is well. Each message is answered once, in order, with all
 * of its parts; what comes again is marked and has a send that was under way at a kill; nothing goes to nobody; polls never overlap.
 */
export function findProblems(evidence: Evidence): string[] {
  const chats = new Set([...evidence.asked.map(({ chat }) => chat), ...evidence.answers.keys()]);
  return [
    ...[...chats].flatMap((chat) => readChat(evidence, chat)),
    ...findUnexplainedRepeats(evidence),
    ...findPollOverlaps(evidence),
    ...evidence.secrets.filter((secret) => evidence.logs.includes(secret)).map((secret) => `logged: ${secret}`),
  ];
}

/** Reads a chat as its person does: question by question. */
function readChat({ asked, answers }: Evidence, chat: number): string[] {
  const questions = asked.filter((message) => message.chat === chat).map(({ answer }) => answer);
  const texts = (answers.get(chat) ?? []).map(({ text }) => text);
  const problem = read({ questions, seen: '', texts, previous: '' });
  return problem === undefined ? [] : [`chat ${chat}: ${problem}`];
}

/** How far a chat was read: the questions without an answer, what was seen of the first one's, and the texts that follow `previous`. */
type Reading = { questions: readonly string[]; seen: string; texts: readonly string[]; previous: string };

function read(reading: Reading): string | undefined {
  const [text, ...later] = reading.texts;
  if (!isRepeatOf(reading.previous, text)) return readText(reading);
  const problem = read({ ...reading, texts: later });
  // Two messages that were set aside have the same answer; the second may be marked because its first try never left.
  return problem === undefined || !SET_ASIDE.test(reading.previous) ? problem : readText(reading);
}

function readText({ questions, seen, texts }: Reading): string | undefined {
  const [answer, ...others] = questions;
  const [marked, ...later] = texts;
  if (answer === undefined) return marked === undefined ? undefined : `nobody asked for "${shorten(marked)}"`;
  if (marked === undefined) return `"${shorten(answer)}" ends after ${seen.length} of ${answer.length} characters`;
  const previous = unmark(marked);
  const longer = seen === '' ? previous : `${seen} ${previous}`;
  const isSetAside = seen === '' && SET_ASIDE.test(previous);
  if (isSetAside || longer === answer) return read({ questions: others, seen: '', texts: later, previous });
  if (answer.startsWith(longer)) return read({ questions, seen: longer, texts: later, previous });
  return `"${shorten(previous)}" instead of the rest of "${shorten(answer)}"`;
}

function isRepeatOf(previous: string, text: string | undefined): boolean {
  return text !== undefined && REPEAT.test(text) && unmark(text) === previous;
}

function unmark(text: string): string {
  return text.replace(REPEAT, '');
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

/** A mark says that nobody knows what became of the try before; so it must have been under way at a kill, or been cut off. */
function findUnexplainedRepeats({ calls, kills }: Evidence): string[] {
  const sends = calls.filter(({ method }) => method === 'sendMessage');
  return sends.flatMap((send, index) => {
    const text = textOf(send);
    if (!REPEAT.test(text)) return [];
    const before = sends
      .slice(0, index)
      .findLast((other) => chatOf(other) === chatOf(send) && unmark(textOf(other)) === unmark(text));
    return isExplained(send, before, kills) ? [] : [`marked without need: "${shorten(text)}"`];
  });
}

function isExplained(send: TelegramCall, before: TelegramCall | undefined, kills: readonly number[]): boolean {
  // The try before was written down but never left; of a notice that others got too, it cannot be told which call it was.
  if (before === undefined || SET_ASIDE.test(textOf(send))) return kills.some((at) => at <= send.at);
  if (before.outcome === 'dropped') return true;
  // A marked try that was refused for certain is made again as it was.
  if (!before.processed && typeof before.outcome === 'number' && REPEAT.test(textOf(before))) return true;
  const until = (before.finishedAt ?? send.at) + SLACK_MS;
  return kills.some((at) => at >= before.at - SLACK_MS && at <= until);
}

function textOf({ params }: TelegramCall): string {
  return String(params['text']);
}

function chatOf({ params }: TelegramCall): string {
  return String(params['chat_id']);
}

function findPollOverlaps({ calls }: Evidence): string[] {
  const polls = calls.filter(({ method }) => method === 'getUpdates');
  const bad = polls.filter(({ pollsInFlight = 1, outcome }) => pollsInFlight > 1 || outcome === 409);
  return bad.map(({ at, pollsInFlight, outcome }) => `poll at ${at} was one of ${pollsInFlight}, outcome ${outcome}`);
}
