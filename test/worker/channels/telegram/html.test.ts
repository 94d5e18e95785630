import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../../../worker/channels/telegram/html.ts';
import { parseHtml } from '../../../emulators/telegram/parse-html.ts';

const seen = (markdown: string) => parseHtml(renderHtml(markdown)).text;

describe('Markdown as Telegram HTML', () => {
  it.each([
    ['**bold** and __bold__', '<b>bold</b> and <b>bold</b>'],
    ['*italic* and _italic_', '<i>italic</i> and <i>italic</i>'],
    ['~~gone~~', '<s>gone</s>'],
    ['***both*** **bold *it*** *it **bold***', '<b><i>both</i></b> <b>bold <i>it</i></b> <i>it <b>bold</b></i>'],
    ['***it* bold**', '<b><i>it</i> bold</b>'],
    ['**a _b_ ~~c~~ `d`**', '<b>a <i>b</i> <s>c</s> <code>d</code></b>'],
    ['**API**s, (**x**), "*y*"', '<b>API</b>s, (<b>x</b>), "<i>y</i>"'],
    ['这是**重要**的，*真*的，共3**个**5', '这是<b>重要</b>的，<i>真</i>的，共3<b>个</b>5'],
    ['see **src/** or **https://x.org/a_b_c**', 'see <b>src/</b> or <b>https://x.org/a_b_c</b>'],
    ['看https://x.org。**重要**', '看https://x.org。<b>重要</b>'],
  ])('marks emphasis in %s', (markdown, html) => {
    expect(renderHtml(markdown)).toBe(html);
  });

  it.each([
    'snake_case_words and _private_name or __x',
    '2*3*4, 2**3**4, 2 * 3 * 4, x**y + z**w, x*(y)*z',
    '**open, *open, ~~open, `open, ``open, [open](http://x.org',
    '** no ** * no * ~~ no ~~ _ no _ __ no __',
    'f(*args, **kwargs), src/*.ts and lib/*, src/**/*.ts',
    '**a*, ~a~, ~~~a~~~ x, ****a****',
    'https://x.org/_a_/*b*?c=__d__ and https:// and https:',
    '变量_名称_值',
    '[a](src/a.ts) [b](javascript:alert) [ ](http://x.org) [](http://x.org) array[1](2) [c] (http://x.org)',
    '#hashtag, # , -5, *, - , ------x, a | b',
    '',
    '\n\n',
  ])('leaves as text %j', (text) => {
    expect(renderHtml(text)).toBe(text);
  });

  it('escapes exactly what has a meaning in HTML, and shows what was escaped in Markdown', () => {
    expect(renderHtml(`<b> & "x" 'y' &lt; ->`)).toBe(`&lt;b&gt; &amp; "x" 'y' &amp;lt; -&gt;`);
    expect(renderHtml('\\*a\\* \\_b\\_ \\`c\\` C:\\dir \\[x\\]')).toBe('*a* _b_ `c` C:\\dir \\[x\\]');
  });

  it('shows code as it is', () => {
    expect(renderHtml('`a < **b**` and `` x`y `` and ` `')).toBe(
      '<code>a &lt; **b**</code> and <code>x`y</code> and ` `',
    );
  });

  it.each([
    ['https://x.org/a_(b)?c=1&d="', '<a href="https://x.org/a_(b)?c=1&amp;d=&quot;"><b>t</b> [1]</a>'],
    ['<http://x.org> "title"', '<a href="http://x.org"><b>t</b> [1]</a>'],
    ['tg://user?id=42', '<a href="tg://user?id=42"><b>t</b> [1]</a>'],
    ['http://localhost:3000/x', '<b>t</b> [1] (http://localhost:3000/x)'],
    ['mailto:a@x.org', '<b>t</b> [1] (a@x.org)'],
  ])('links to %s, and shows an address that Telegram would drop', (url, html) => {
    expect(renderHtml(`**see [**t** [1]](${url})**`)).toBe(`<b>see ${html}</b>`);
  });

  it('links an image to its address, and does not show the same address twice', () => {
    expect(renderHtml('![a cat](https://x.org/cat.png)!')).toBe('<a href="https://x.org/cat.png">a cat</a>!');
    expect(renderHtml('[a@x.org](mailto:a@x.org)')).toBe('a@x.org');
    expect(renderHtml('[a [b](http://b.org) c](http://a.org)')).toBe(
      '<a href="http://a.org">a [b](http://b.org) c</a>',
    );
  });

  it('shows headings bold, rules as dashes, and lists with dots', () => {
    const markdown = '# One **two** ##\n### C#\n---\n* * *\n- a **b**\n  * c\n1. d\n2) e';
    const html = '<b>One two</b>\n<b>C#</b>\n———\n———\n• a <b>b</b>\n  • c\n1. d\n2) e';
    expect(renderHtml(markdown)).toBe(html);
  });

  it('shows fenced code with its language, also indented or in tildes', () => {
    expect(renderHtml('```ts title=x\nif (a < b) **c**\n\n# d\n```\n*e*')).toBe(
      '<pre><code class="language-ts">if (a &lt; b) **c**\n\n# d</code></pre>\n<i>e</i>',
    );
    expect(renderHtml('- run\n  ```\n  a\n    b\n  ```')).toBe('• run\n<pre>a\n  b</pre>');
    expect(renderHtml('~~~ c++\n```\n~~~')).toBe('<pre><code class="language-c++">```</code></pre>');
    expect(renderHtml('````\n```\n````')).toBe('<pre>```</pre>');
    expect(renderHtml('```a"><b>\nx\n```')).toBe('<pre>x</pre>');
  });

  it('lets a fence that is not closed run to the end, and shows one without code as it is', () => {
    expect(renderHtml('```js\n*a*\n- b')).toBe('<pre><code class="language-js">*a*\n- b</code></pre>');
    expect(renderHtml('```js')).toBe('```js');
    expect(renderHtml('```\n\n```\n*a*')).toBe('```\n\n```\n<i>a</i>');
  });

  it('joins the lines of a quote, without a quote inside it', () => {
    expect(renderHtml('> *a*\n>> b\n>\n> - c\nd\n>\ne')).toBe(
      '<blockquote><i>a</i>\nb\n\n• c</blockquote>\nd\n&gt;\ne',
    );
    expect(renderHtml('> ```\n> x\ny')).toBe('<blockquote><pre>x</pre></blockquote>\ny');
  });

  it('shows a table as it is written, in letters of one width', () => {
    const table = '| a | *b* |\n|:--|--:|\n| 1 | <2> |';
    expect(renderHtml(`x\n${table}\n*y*`)).toBe(`x\n<pre>${table.replace('<2>', '&lt;2&gt;')}</pre>\n<i>y</i>`);
    expect(renderHtml('a | b\nc | d')).toBe('a | b\nc | d');
  });
});

const FRAGMENTS = [
  ...['*', '**', '***', '_', '__', '___', '~', '~~', '~~~', '`', '``', '```', '[', ']', '(', ')', '](', '!', '\\', '|'],
  ...['[a](https://x.org)', '[b](mailto:b@x.org)', '](http://localhost)', 'https://x.org/_a_', '```js\n', '\n```\n'],
  ...[
    '\n',
    '\n\n',
    '\r\n',
    ' ',
    '  ',
    '\t',
    '\n- ',
    '\n* ',
    '\n> ',
    '\n# ',
    '\n---\n',
    '\n| a | b |\n|---|---|\n',
    '1. ',
  ],
  ...['<', '>', '&', '"', '&amp;', '<b>', '</i>', 'a', 'b c', 'Z', '1', '中', 'é', '👋', '\u2028', '\ud800', '.', '/'],
];
const markdowns = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...FRAGMENTS), maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('*', '_', '~~', '`', 'a', ' ', '[', '](http://x.org)', '\n', '>'), maxLength: 30 }),
);

/** What makes a careless search start again at every place. */
const ADVERSARIES = [
  '*a ',
  '*a* ',
  '***a*',
  '_*~~',
  '`',
  '`a``',
  '` ',
  '[a',
  '![',
  '[[a]',
  '[a](',
  '[`',
  '> ',
  '# ',
  '  ',
  '|-',
  'https://**',
];

describe('any Markdown', () => {
  it('gives HTML that Telegram reads, without empty tags, that shows no more than was written', () => {
    fc.assert(
      fc.property(markdowns, (markdown) => {
        const html = renderHtml(markdown);
        const { text } = parseHtml(html);
        expect(html).not.toMatch(/<([a-z]+)(?: [^>]*)?>\s*<\/\1>/);
        expect(html).not.toMatch(/<a [^>]*>(?:(?!<\/a>).)*<a |<pre>(?:(?!<\/pre>).)*<(?:b|i|s|a|pre|blockquote)\b/s);
        expect(text.length).toBeLessThanOrEqual(markdown.length);
        expect(text.trim() === '').toBe(markdown.trim() === '');
      }),
      { numRuns: 5_000 },
    );
  });

  it('keeps every letter and digit in order, outside addresses and the first line of code', () => {
    const words = (text: string) => text.replace(/[^a-z0-9中é]/giu, '');
    const plain = fc.string({
      unit: fc.constantFrom(...FRAGMENTS.filter((part) => !/[:&`~]/.test(part))),
      maxLength: 40,
    });
    fc.assert(
      fc.property(plain, (markdown) => {
        expect(words(seen(markdown))).toBe(words(markdown));
      }),
      { numRuns: 2_000 },
    );
  });

  it('shows a text without any markup exactly as it is', () => {
    const plain = fc.string({ unit: 'binary', maxLength: 80 }).map((text) => text.replace(/[*_~`[\]#>|\\-]/g, '&'));
    fc.assert(
      fc.property(plain, (text) => {
        expect(seen(text)).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(ADVERSARIES)('takes a moment only, also for thousands of %j', (part) => {
    const markdown = part.repeat(Math.ceil(16_000 / part.length));
    const startedAt = performance.now();
    renderHtml(markdown);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
