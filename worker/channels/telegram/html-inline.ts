/** Renders one line: emphasis, code and links; everything else is escaped text. */
export function renderInline(source: string): string {
  return renderPieces(source, true);
}

/** Escapes what Telegram's HTML does not take in text (Bot API, "HTML style"). */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What stands at one place of a line and how many UTF-16 units of the source it takes. */
type Piece = { html: string; length: number };

/** A run of one marker that may begin emphasis, and its place among the rendered pieces. */
type Run = { mark: string; length: number; at: number };

/** A line on the way. Closing a run drops all above it from `open`, so that tags never cross. */
type Line = { source: string; rendered: string[]; open: Run[] };

function renderPieces(source: string, hasLinks: boolean): string {
  const line: Line = { source, rendered: [], open: [] };
  for (let at = 0; at < source.length; ) {
    const piece = readPiece(source, at, hasLinks);
    if (piece !== undefined) line.rendered.push(piece.html);
    at += piece?.length ?? takeRun(line, at);
  }
  return line.rendered.join('');
}

/** Everything but emphasis; undefined when a run of markers stands here. */
function readPiece(source: string, at: number, hasLinks: boolean): Piece | undefined {
  const [plain] = matchAt(PLAIN, source, at) ?? [];
  if (plain !== undefined) return { html: escapeHtml(plain), length: plain.length };
  const [escaped, character] = matchAt(ESCAPED, source, at) ?? [];
  if (escaped !== undefined && character !== undefined) return { html: character, length: escaped.length };
  const special = readCode(source, at) ?? (hasLinks ? readLink(source, at) : undefined);
  if (special !== undefined) return special;
  if (MARKERS.has(source.charAt(at))) return undefined;
  const [ticks] = matchAt(TICKS, source, at) ?? [];
  const literal = ticks ?? source.charAt(at);
  return { html: escapeHtml(literal), length: literal.length };
}

/** A bare address is text of its own: markers inside belong to it, those at its end do not. */
const PLAIN = /https?:\/\/[!#-;=?-_a-~]+(?<![*_~.,;:!?)\]])|(?:(?!https?:)[^*_~`![\\])+/y;
const ESCAPED = /\\([*_~`])/y;
const TICKS = /`+/y;
const MARKERS: ReadonlySet<string> = new Set(['*', '_', '~']);

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source) ?? undefined;
}

function readCode(source: string, at: number): Piece | undefined {
  const [ticks] = matchAt(TICKS, source, at) ?? [];
  if (ticks === undefined) return undefined;
  const start = at + ticks.length;
  const end = findTicks(source, start, ticks.length);
  if (end === undefined) return undefined;
  const code = source.slice(start, end);
  if (code.trim() === '') return undefined;
  const isPadded = code.startsWith(' ') && code.endsWith(' ');
  const shown = isPadded ? code.slice(1, -1) : code;
  return { html: `<code>${escapeHtml(shown)}</code>`, length: end + ticks.length - at };
}

function findTicks(source: string, from: number, length: number): number | undefined {
  for (let at = source.indexOf('`', from); at !== -1; ) {
    const found = matchAt(TICKS, source, at)?.[0].length ?? 0;
    if (found === length) return at;
    at = source.indexOf('`', at + found);
  }
  return undefined;
}

function readLink(source: string, at: number): Piece | undefined {
  const [link, text, url] = matchAt(LINK, source, at) ?? [];
  if (link === undefined || text === undefined || url === undefined) return undefined;
  if (text.trim() === '' || !URL.canParse(url)) return undefined;
  const html = renderPieces(text, false);
  if (isLinkable(url)) return { html: `<a href="${escapeAttribute(url)}">${html}</a>`, length: link.length };
  if (!SHOWN.test(url)) return undefined;
  const address = url.replace(/^mailto:/i, '');
  return { html: text === address ? html : `${html} (${escapeHtml(address)})`, length: link.length };
}

/** `[text](address "title")`; pairs of brackets may stand in both, an image is a link to it. */
const LINK =
  /!?\[((?:[^[\]\\`]|\\.|`[^`]*`|\[[^[\]]*\])+)\]\([ \t]*<?([^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:[ \t]+"[^"]*")?[ \t]*\)/y;

/** Telegram drops the address of any other link without a word, also of a host without a dot. */
function isLinkable(url: string): boolean {
  return /^tg:\/\/\S/i.test(url) || /^https?:\/\/(?:[^/?#]*\.[^/?#]|\[)/i.test(url);
}

const SHOWN = /^(?:https?|mailto):/i;

function escapeAttribute(text: string): string {
  return escapeHtml(text).replaceAll('"', '&quot;');
}

/** Takes a run of markers: it ends what it can, else it may begin something, else it is text. Returns its length. */
function takeRun(line: Line, at: number): number {
  const { source, rendered, open } = line;
  const mark = source.charAt(at);
  let end = at + 1;
  while (source.charAt(end) === mark) end += 1;
  const length = end - at;
  const sides = { markers: source.slice(at, end), before: source.charAt(at - 1), after: source.charAt(end) };
  const isMarkup = tagsOf(mark, length).length > 0;
  const closed = isMarkup && canClose(sides) ? close(line, mark, length) : undefined;
  if (closed === undefined && isMarkup && canOpen(sides)) open.push({ mark, length, at: rendered.length });
  rendered.push(closed ?? sides.markers);
  return length;
}

type Sides = { markers: string; before: string; after: string };

/** Nothing begins within a word or a path: `2*3*4`, snake_case, `src/*`. */
function canOpen({ markers, before, after }: Sides): boolean {
  return !isBlank(after) && before !== '/' && !isPartOfWord(before, { inner: after, markers });
}

/** As CommonMark has it, the bold of `**API**s` ends before the "s". */
function canClose({ markers, before, after }: Sides): boolean {
  if (isBlank(before) || (before === '/' && (after === '/' || markers.length === 1))) return false;
  return markers === '**' || !isPartOfWord(after, { inner: before, markers });
}

function isBlank(character: string): boolean {
  return character.trim() === '';
}

/** Chinese and its neighbours have no spaces between words, so beside their letters `*` always stands between two words. */
function isPartOfWord(outer: string, { inner, markers }: { inner: string; markers: string }): boolean {
  if (!/[\p{L}\p{N}]/u.test(outer)) return false;
  return markers.startsWith('_') || !(SPACELESS.test(outer) || SPACELESS.test(inner));
}

const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** Ends what a run of `length` markers closes and returns what stands in its place; undefined when nothing is open. */
function close({ rendered, open }: Line, mark: string, length: number): string | undefined {
  let html = '';
  for (let left = length; left > 0; ) {
    const index = open.findLastIndex((run) => run.mark === mark && isPair(run.length, left));
    const run = open[index];
    if (run === undefined) return left === length ? undefined : html + mark.repeat(left);
    const taken = Math.min(run.length, left);
    const tags = tagsOf(mark, taken);
    // What the opening run has left stands before the tags it was given already.
    const given = (rendered[run.at] ?? '').slice(run.length);
    rendered[run.at] = `${mark.repeat(run.length - taken)}${tags.map((tag) => `<${tag}>`).join('')}${given}`;
    html += tags.map((tag) => `</${tag}>`).reduceRight((all, tag) => all + tag, '');
    run.length -= taken;
    left -= taken;
    open.length = run.length > 0 ? index + 1 : index;
  }
  return html;
}

/** Three markers are one and two. */
function isPair(opening: number, closing: number): boolean {
  return opening === closing || opening === 3 || closing === 3;
}

/** The tags of a run of markers, outermost first; none when it is just text. */
function tagsOf(mark: string, length: number): readonly string[] {
  if (mark === '~') return length === 2 ? ['s'] : [];
  return EMPHASIS_TAGS[length] ?? [];
}

const EMPHASIS_TAGS = [[], ['i'], ['b'], ['b', 'i']];
