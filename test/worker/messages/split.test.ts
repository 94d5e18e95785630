import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitText } from '../../../worker/messages/split.ts';

const isFence = (line: string): boolean => /^(?:```|~~~)/.test(line);
const visible = (text: string): string => text.replace(/\s+/g, '');

/** Fences that are open at the end of a part. */
function hasOpenFence(part: string): boolean {
  let open: string | undefined;
  for (const line of part.split('\n').filter(isFence)) {
    if (open === undefined) open = line.slice(0, 3);
    else if (line.startsWith(open)) open = undefined;
  }
  return open !== undefined;
}

describe('splitting a text', () => {
  it.each(['', 'short', 'x'.repeat(200)])('leaves what fits as it is (case %#)', (text) => {
    expect(splitText(text, 200)).toEqual([text]);
  });

  it('cuts between paragraphs if it can, else between lines, else between words', () => {
    const half = 'word '.repeat(24).trim();
    expect(splitText(`${half}\n\n${half}`, 200)).toEqual([half, half]);
    expect(splitText(`${half}\n${half}`, 200)).toEqual([half, half]);
    expect(splitText(`${half} ${half}`, 200)[0]).toMatch(/word$/);
  });

  it('cuts a text without any space where the room ends', () => {
    const parts = splitText('x'.repeat(1_000), 300);
    expect(parts.join('')).toBe('x'.repeat(1_000));
    expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(300);
  });

  it('closes a code fence at the end of a part and opens it again in the next, with its language', () => {
    const code = Array.from({ length: 40 }, (_, index) => `console.log(${index});`).join('\n');
    const parts = splitText(`Look:\n\`\`\`js\n${code}\n\`\`\`\nDone.`, 300);
    expect(parts.length).toBeGreaterThan(2);
    for (const [index, part] of parts.entries()) {
      expect(hasOpenFence(part)).toBe(false);
      if (index > 0) expect(part.startsWith('```js\n')).toBe(true);
    }
    expect(parts.flatMap((part) => part.split('\n').filter((line) => line.startsWith('console')))).toEqual(
      code.split('\n'),
    );
  });

  it('takes ~~~ inside of ``` as text', () => {
    const parts = splitText(`\`\`\`\n${'~~~\nline of code\n'.repeat(40)}\`\`\``, 300);
    for (const part of parts) expect(hasOpenFence(part)).toBe(false);
  });

  it('closes a longer fence with as many marks, so that a shorter one inside of it is text', () => {
    const parts = splitText(`\`\`\`\`md\n${'```js\nline of code\n```\n'.repeat(40)}\`\`\`\`\nDone.`, 300);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts.slice(0, -1)) expect(part.split('\n').at(-1)).toBe('````');
    for (const part of parts.slice(1)) expect(part.startsWith('````md\n')).toBe(true);
  });

  it('never cuts a character in half', () => {
    const isWhole = (text: string): boolean =>
      !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
    for (const lead of ['', 'x']) {
      for (const part of splitText(lead + '😀'.repeat(500), 201)) expect(isWhole(part)).toBe(true);
    }
  });

  const texts = fc.array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 120 }),
      fc.constantFrom('\n\n', '\n', ' ', '```', '```js', '~~~', 'x'.repeat(150), ' '.repeat(300), '\n'.repeat(9)),
    ),
    { maxLength: 40 },
  );

  it('gives parts within the limit that hold every visible character in its order', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 160, max: 500 }), (pieces, limit) => {
        const text = pieces.join('\n');
        const parts = splitText(text, limit);
        expect(parts.length).toBeGreaterThan(0);
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(limit);
        const without = (value: string): string => visible(value).replace(/`|~|js/g, '');
        expect(without(parts.join('\n'))).toBe(without(text));
      }),
      { numRuns: 200 },
    );
  });

  it('keeps within any limit, however short, except for a character that is longer', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 160 }), (pieces, limit) => {
        const text = pieces.join('\n');
        const parts = splitText(text, limit);
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(Math.max(limit, 2));
        expect(visible(parts.join('\n')).replace(/`|~|js/g, '')).toBe(visible(text).replace(/`|~|js/g, ''));
      }),
      { numRuns: 100 },
    );
    expect(splitText('😀😀', 1)).toEqual(['😀', '😀']);
  });

  it('gives no blank part of a text that is not blank: platforms refuse those', () => {
    fc.assert(
      fc.property(texts, (pieces) => {
        const text = pieces.join('\n');
        fc.pre(text.trim() !== '');
        for (const part of splitText(text, 200)) expect(part.trim()).not.toBe('');
      }),
      { numRuns: 200 },
    );
  });
});
