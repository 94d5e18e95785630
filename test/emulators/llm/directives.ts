/** What the last user text orders through `[[…]]` marks. */
export interface Directives {
  /** The text without its marks. */
  readonly text: string;
  readonly chunks?: number;
  readonly delayMs?: number;
  readonly gapMs?: number;
  readonly say?: string;
  readonly long?: number;
  readonly history: boolean;
  readonly tool?: { readonly name: string; readonly json: string };
  readonly status?: number;
  /** Cut the connection after this many deltas. */
  readonly cut?: number;
}

type Draft = { -readonly [Key in keyof Directives]: Directives[Key] };

const numberMark = /\[\[(chunks|delay|gap|long|status|cut)=(\d+)\]\]/g;
const sayMark = /\[\[say=([\s\S]*?)\]\]/g;
const toolMark = /\[\[tool=([\w.-]+):(\{[\s\S]*?\})\]\]/g;
const historyMark = /\[\[history\]\]/g;

/** Reads and removes the marks; a text without any comes back unchanged. */
export function readDirectives(source: string): Directives {
  if (!source.includes('[[')) return { text: source, history: false };
  const draft: Draft = { text: '', history: source.includes('[[history]]') };
  const text = source
    .replace(toolMark, (_mark, name: string, json: string) => {
      draft.tool = { name, json };
      return '';
    })
    .replace(sayMark, (_mark, say: string) => {
      draft.say = say;
      return '';
    })
    .replace(numberMark, (_mark, name: string, digits: string) => {
      setNumber(draft, name, Number(digits));
      return '';
    })
    .replace(historyMark, '');
  draft.text = text.trim();
  return draft;
}

function setNumber(draft: Draft, name: string, value: number): void {
  switch (name) {
    case 'chunks':
      draft.chunks = value;
      return;
    case 'delay':
      draft.delayMs = value;
      return;
    case 'gap':
      draft.gapMs = value;
      return;
    case 'long':
      draft.long = value;
      return;
    case 'status':
      draft.status = value;
      return;
    case 'cut':
      draft.cut = value;
      return;
  }
}
