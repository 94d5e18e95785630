import { mkdirSync, truncateSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createHome, diagnose, find, write } from './diagnosis.ts';

describe('the database', () => {
  const header = (applicationId: number): Buffer => {
    const bytes = Buffer.alloc(4_096);
    bytes.write('SQLite format 3\0', 'latin1');
    bytes.writeUInt32BE(applicationId, 68);
    return bytes;
  };

  it.each([
    ['database-intact', header(0x786f7063)],
    ['database-intact', header(0)],
    ['database-foreign', header(7)],
    ['database-damaged', Buffer.alloc(4_096)],
    ['database-damaged', Buffer.from('SQLite format 3\0')],
    ['database-new', Buffer.alloc(0)],
  ])('is judged by its header: %s', async (code, content) => {
    const { home, paths } = createHome();
    write(paths.databaseFile, content);
    const found = await diagnose(home);
    expect(find(found, code).message).toContain(paths.databaseFile);
    expect(found.ok).toBe(['database-intact', 'database-new'].includes(code));
  });

  it('with a log that was never folded in is warned about', async () => {
    const { home, paths } = createHome();
    write(paths.databaseFile, header(0x786f7063));
    write(`${paths.databaseFile}-wal`, '');
    truncateSync(`${paths.databaseFile}-wal`, 101 * 1024 * 1024);
    expect(find(await diagnose(home), 'wal-large')).toMatchObject({
      severity: 'warn',
      message: expect.stringContaining('101 MB'),
    });
  });

  it('that cannot be read is an error', async () => {
    const { home, paths } = createHome();
    mkdirSync(paths.databaseFile, { mode: 0o700 });
    expect(find(await diagnose(home), 'database-unreadable').severity).toBe('error');
  });
});
