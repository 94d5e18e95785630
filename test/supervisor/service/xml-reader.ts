/** An element with its children in order; `text` is what stands in it when it has none. */
export type Element = { name: string; attributes: Record<string, string>; children: Element[]; text: string };

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Reads a whole document by the rules of XML that ours need, and throws for whatever breaks one: it shares nothing with the product. */
export function readXml(document: string): Element {
  const body = document.replace(/^<\?xml[^?]*\?>\s*/, '').replace(/^<!DOCTYPE[^>]*>\s*/, '');
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  for (const [whole, close, name = '', attributes = '', empty, text] of body.matchAll(
    /<(\/)?([A-Za-z][\w.]*)((?:\s+[\w:]+="[^"<]*")*)\s*(\/)?>|([^<]+)|<[\s\S]*/g,
  )) {
    const parent = open.at(-1) ?? root;
    if (text !== undefined) {
      parent.text += unescapeText(text);
    } else if (close !== undefined) {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes nothing`);
      if (parent.children.length > 0 && parent.text.trim() !== '') throw new Error(`text between elements of ${name}`);
    } else if (name !== '') {
      const element: Element = { name, attributes: readAttributes(attributes), children: [], text: '' };
      parent.children.push(element);
      if (empty === undefined) open.push(element);
    } else throw new Error(`not XML: ${whole.slice(0, 40)}`);
  }
  const [only, ...more] = root.children;
  if (open.length !== 1 || only === undefined || more.length > 0) throw new Error('not one whole element');
  return only;
}

function readAttributes(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, unescapeText(value)]),
  );
}

function unescapeText(text: string): string {
  const rest = text.replace(/&(amp|lt|gt|quot|apos);/g, (_all, name: string) => ENTITIES[name] ?? '');
  if (/&(?!(amp|lt|gt|quot|apos);)/.test(text)) throw new Error(`a bare & in ${text}`);
  return rest;
}
