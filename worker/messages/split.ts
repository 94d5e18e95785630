const FENCE = /^(`{3,}|~{3,})[^\n]*$/gm;

/** Room kept for closing a code fence at the end of a part and opening it again in the next one. */
const FENCE_ROOM = 64;

/** In shorter parts the fences would take more room than the text. */
const MIN_FENCED = 2 * FENCE_ROOM;

/**
 * Cuts an answer into parts of at most `limit` UTF-16 units: between paragraphs if possible, else lines, else words. A code
 * fence that is open at a cut is closed there and opened again, unless parts are very short; a surrogate pair is never cut.
 * Returns at least one part.
 */
export function splitText(text: string, limit: number): string[] {
  const parts: string[] = [];
  let rest = text;
  let reopened = '';
  while (reopened.length + rest.length > limit) {
    const room = limit < MIN_FENCED ? limit : limit - reopened.length - FENCE_ROOM;
    const cut = findCut(rest, Math.max(1, room));
    const body = reopened + rest.slice(0, cut).trimEnd();
    const fence = limit < MIN_FENCED ? undefined : findOpenFence(body);
    // Platforms refuse a part that shows nothing.
    if (rest.slice(0, cut).trim() !== '') parts.push(fence === undefined ? body : `${body}\n${fence.run}`);
    reopened = fence === undefined ? '' : `${fence.line}\n`;
    rest = rest.slice(cut).replace(/^\n+/, '');
  }
  if (rest.trim() !== '' || parts.length === 0) parts.push(reopened + rest);
  return parts;
}

function findCut(text: string, limit: number): number {
  const window = text.slice(0, limit);
  for (const separator of ['\n\n', '\n', ' ']) {
    const at = window.lastIndexOf(separator);
    if (at > limit / 2) return at + separator.length;
  }
  const last = text.charCodeAt(limit - 1);
  const isHighSurrogate = last >= 0xd800 && last <= 0xdbff;
  if (!isHighSurrogate) return limit;
  return limit > 1 ? limit - 1 : 2;
}

/** A code fence as it was opened: its line, and the marks that close it. */
type Fence = { line: string; run: string };

/** The code fence that is not closed in `text`; it is closed by as many marks of its kind or more, and nothing behind them. */
function findOpenFence(text: string): Fence | undefined {
  let open: Fence | undefined;
  for (const [line, run = ''] of text.matchAll(FENCE)) {
    if (open === undefined) open = { line: line.slice(0, FENCE_ROOM / 2), run: run.slice(0, FENCE_ROOM / 2) };
    else if (run.startsWith(open.run) && line.trim() === run) open = undefined;
  }
  return open;
}
