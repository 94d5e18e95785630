import type { TurnEnd } from '../store/cron-row.ts';
import type { JobTurn } from '../store/inbox-row.ts';

/** What the model answers when there is nothing to tell. */
const SILENCE = /^\W*(?:HEARTBEAT_OK|NO_REPLY)\b\W*|\W*\b(?:HEARTBEAT_OK|NO_REPLY)\W*$/;

type JobAnswer = { kind: 'text' | 'error'; text: string; status: 'ok' | 'aborted' | 'error'; isGivenUp?: true };

/**
 * How the turn of a job ended, and whether its chat is told: of an answer, unless it says that there is nothing to tell, and of a
 * failure that is not tried again (ERR-1).
 */
export function judgeJobTurn(job: JobTurn, answer: JobAnswer): { end: TurnEnd; isTold: boolean } {
  if (answer.isGivenUp === true) return { end: 'aborted', isTold: true };
  if (answer.status === 'aborted') return { end: 'aborted', isTold: false };
  if (answer.kind === 'error') return { end: 'error', isTold: job.isLastTry };
  const isSilent = isSilence(answer.text, job.ackMaxChars);
  return { end: isSilent ? 'silent' : 'ok', isTold: !isSilent };
}

/** True when a text begins or ends with the word for silence and holds at most so many other characters. */
export function isSilence(text: string, ackMaxChars: number): boolean {
  const rest = text.replace(SILENCE, '');
  return rest !== text && rest.trim().length <= ackMaxChars;
}
