import { formatDuration } from '../lib/duration.ts';
import type { Output } from './output.ts';

/** Tells a person step by step what a command waits for. */
export type Progress = {
  /** What happens now; the step before is done. The same step again changes nothing. */
  step(text: string): void;
  /** No step follows: the last one is done, or it is where things went wrong. */
  end(isDone: boolean): void;
};

const REDRAW_MS = 1_000;

/** A progress on the output: one line per step, on a terminal with the seconds that the step takes. Silent says nothing at all. */
export function openProgress(output: Output, isSilent: boolean): Progress {
  if (isSilent) return { step: () => undefined, end: () => undefined };
  return output.isTerminal ? openTerminalProgress() : openPlainProgress(output);
}

function openPlainProgress(output: Output): Progress {
  let current = '';
  return {
    step(text) {
      if (text !== current) output.line(text);
      current = text;
    },
    end: () => undefined,
  };
}

function openTerminalProgress(): Progress {
  let current: { text: string; since: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    if (current === undefined) return;
    const ms = Date.now() - current.since;
    replaceLine(`… ${current.text}${ms < REDRAW_MS ? '' : ` (${formatDuration(ms)})`}`);
  };
  const end = (isDone: boolean): void => {
    clearInterval(timer);
    if (current !== undefined) replaceLine(`${isDone ? '✓' : '✗'} ${current.text}\n`);
    current = undefined;
  };
  return {
    step(text) {
      if (text === current?.text) return;
      end(true);
      current = { text, since: Date.now() };
      draw();
      timer = setInterval(draw, REDRAW_MS);
      timer.unref();
    },
    end,
  };
}

/** Goes to the start of the terminal's line and clears it. */
function replaceLine(text: string): void {
  process.stdout.write(`\r\x1b[2K${text}`);
}
