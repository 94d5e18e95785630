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

/** What must never happen and did: which rule was broken, and how. */
export type Problem = {
  kind: 'lost' | 'doubled' | 'out of order' | 'unasked' | 'marked without need' | 'polls overlap' | 'secret logged';
  text: string;
  /** How many messages of a chat could not be read as answered because of it. */
  unread?: number;
};

/** How the gateway marks a text that may be there already (OUT-1). */
export const REPEAT = /\s*\(possible repeat[^)]*\)$/;

/** How an answer ends that is still being written. */
const GROWING = / …$/;

/** What stands for the answer to a message whose turn was interrupted twice (RESUME-1). */
export const SET_ASIDE = /^Your message interrupted the gateway twice/;

/** A commit or a hang-up may be heard of this much later than it happened. */
const SLACK_MS = 300;

/**
 * Everything that must never happen and did, in words; empty when all is well. Each message is answered once, in order, with all
 * of its parts; what comes again is marked and has a send that was under way at a kill; nothing goes to nobody; polls never overlap.
 */
export function findProblems(evidence: Evidence): string[] {
  return judge(evidence).map(({ text }) => text);
}

/** As `findProblems`, sorted by the rule that was broken; of a chat only the first problem is told. */
export function judge(evidence: Evidence): Problem[] {
  const chats = new Set([...evidence.asked.map(({ chat }) => chat), ...evidence.answers.keys()]);
  return [
    ...[...chats].flatMap((chat) => readChat(evidence, chat)),
    ...findUnexplainedRepeats(evidence),
    ...findPollOverlaps(evidence),
    ...findSecrets(evidence),
  ];
}

/** Reads a chat as its person does: question by question. */
function readChat({ asked, answers }: Evidence, chat: number): Problem[] {
  const questions = asked.filter((message) => message.chat === chat).map(({ answer }) => answer);
  const texts = (answers.get(chat) ?? []).map(({ text }) => text);
  const problem = read({ questions, seen: '', texts, told: [] });
  return problem === undefined ? [] : [{ ...problem, text: `chat ${chat}: ${problem.text}` }];
}

/** How far a chat was read: the questions without an answer, what was seen of the first one's, the texts to come and those before. */
type Reading = { questions: readonly string[]; seen: string; texts: readonly string[]; told: readonly string[] };

function read(reading: Reading): Problem | undefined {
  const [text, ...later] = reading.texts;
  const previous = reading.told.at(-1);
  if (!isRepeatOf(previous, text)) return readText(reading);
  const problem = read({ ...reading, texts: later });
  // Two messages that were set aside have the same answer; the second may be marked because its first try never left.
  return problem === undefined || !isSetAside(previous) ? problem : readText(reading);
}

function readText({ questions, seen, texts, told }: Reading): Problem | undefined {
  const [answer, ...others] = questions;
  const [marked, ...later] = texts;
  const unread = questions.length;
  if (answer === undefined && marked === undefined) return undefined;
  if (marked === undefined) {
    const what = `"${shorten(answer ?? '')}" ends after ${seen.length} of ${answer?.length} characters`;
    return { kind: 'lost', text: what, unread };
  }
  const text = unmark(marked);
  const isCopy = told.includes(text);
  if (answer === undefined) {
    return { kind: isCopy ? 'doubled' : 'unasked', text: `nobody asked for "${shorten(marked)}"`, unread };
  }
  // A message whose id got lost with a worker stays as it was; the answer then comes anew, and says that it may be a copy.
  if (isLeftOver(answer, marked, later)) return read({ questions, seen, texts: later, told });
  const longer = seen === '' ? text : `${seen} ${text}`;
  const next = { texts: later, told: [...told, text] };
  if ((seen === '' && isSetAside(text)) || longer === answer) return read({ ...next, questions: others, seen: '' });
  if (answer.startsWith(longer)) return read({ ...next, questions, seen: longer });
  const rest = answer.slice(seen === '' ? 0 : seen.length + 1);
  const comesLater = later.some((other) => rest.startsWith(unmark(other)));
  const kind = isCopy ? 'doubled' : comesLater ? 'out of order' : 'lost';
  return { kind, text: `"${shorten(text)}" instead of the rest of "${shorten(answer)}"`, unread };
}

function isLeftOver(answer: string, text: string, [next = '']: readonly string[]): boolean {
  if (!GROWING.test(text) || !answer.startsWith(text.replace(GROWING, ''))) return false;
  return REPEAT.test(next) && (isSetAside(next) || answer.startsWith(unmark(next)));
}

function isRepeatOf(previous: string | undefined, text: string | undefined): boolean {
  return text !== undefined && REPEAT.test(text) && unmark(text) === previous;
}

function isSetAside(text: string | undefined): boolean {
  return text !== undefined && SET_ASIDE.test(text);
}

function unmark(text: string): string {
  return text.replace(REPEAT, '');
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

/** A mark says that nobody knows what became of the try before; so it must have been under way at a kill, or been cut off. */
function findUnexplainedRepeats({ calls, kills }: Evidence): Problem[] {
  const sends = calls.filter(({ method }) => method === 'sendMessage');
  return sends.flatMap((send, index) => {
    const text = textOf(send);
    if (!REPEAT.test(text)) return [];
    const before = sends
      .slice(0, index)
      .findLast((other) => chatOf(other) === chatOf(send) && unmark(textOf(other)) === unmark(text));
    if (isExplained(send, before, kills) || hasLostDraft(sends.slice(0, index), send)) return [];
    return [{ kind: 'marked without need', text: `marked without need: "${shorten(text)}"` }];
  });
}

/** An answer that was shown while it grew, in a message whose id got lost with a worker: nobody knew any more whether it was there. */
function hasLostDraft(earlier: readonly TelegramCall[], send: TelegramCall): boolean {
  return earlier.some(
    (other) =>
      chatOf(other) === chatOf(send) &&
      GROWING.test(textOf(other)) &&
      unmark(textOf(send)).startsWith(textOf(other).replace(GROWING, '')),
  );
}

function isExplained(send: TelegramCall, before: TelegramCall | undefined, kills: readonly number[]): boolean {
  // The try before was written down but never left; of a notice that others got too, it cannot be told which call it was.
  if (before === undefined || SET_ASIDE.test(textOf(send))) return kills.some((at) => at <= send.at);
  if (before.outcome === 'dropped') return true;
  // A marked try that was refused for certain is made again as it was.
  if (isRefused(before) && REPEAT.test(textOf(before))) return true;
  // Between two tries that were not taken there may be one more, written down, that never left.
  const until = (isRefused(before) ? send.at : (before.finishedAt ?? send.at)) + SLACK_MS;
  return kills.some((at) => at >= before.at - SLACK_MS && at <= until);
}

function isRefused({ processed, outcome }: TelegramCall): boolean {
  return !processed && typeof outcome === 'number';
}

function textOf({ params }: TelegramCall): string {
  return String(params['text']);
}

function chatOf({ params }: TelegramCall): string {
  return String(params['chat_id']);
}

function findPollOverlaps({ calls }: Evidence): Problem[] {
  const polls = calls.filter(({ method }) => method === 'getUpdates');
  const bad = polls.filter(({ pollsInFlight = 1, outcome }) => pollsInFlight > 1 || outcome === 409);
  return bad.map(({ at, pollsInFlight, outcome }) => ({
    kind: 'polls overlap',
    text: `poll at ${at} was one of ${pollsInFlight}, outcome ${outcome}`,
  }));
}

function findSecrets({ logs, secrets }: Evidence): Problem[] {
  const leaks = secrets.filter((secret) => logs.includes(secret));
  return leaks.map((secret) => ({ kind: 'secret logged', text: `logged: ${secret}` }));
}
