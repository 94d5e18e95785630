import { expect, it } from 'vitest';
import { safeFileName } from '../../lib/file-name.ts';

it.each([
  ['a.pdf', 'a.pdf'],
  ['../../etc/passwd', '_.._etc_passwd'],
  ['.bashrc', 'bashrc'],
  ['my "file"; x\r\n.txt', 'my_file_x_.txt'],
  ['отчёт 2026.docx', 'отчёт_2026.docx'],
  ['…', 'image'],
  ['', 'image'],
])('%s becomes %s', (name, safe) => {
  expect(safeFileName(name, 'image')).toBe(safe);
});

it('a long name is cut and keeps its ending', () => {
  const safe = safeFileName(`${'x'.repeat(300)}.tar`, 'file');
  expect(safe).toHaveLength(80);
  expect(safe).toMatch(/x\.tar$/);
  expect(safeFileName(`a.${'y'.repeat(300)}`, 'file').length).toBeLessThanOrEqual(80);
});
