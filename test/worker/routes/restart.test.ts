import { describe, expect, it } from 'vitest';
import { serveApp } from '../served-app.ts';

describe('POST /api/restart', () => {
  it('answers, and only then asks for the restart', async () => {
    const { call, restarts } = await serveApp();
    const { status, body } = await call('POST', '/api/restart');
    expect([status, body]).toEqual([202, { status: 'ok', restarting: true, generation: 7 }]);
    await expect.poll(() => restarts).toEqual(['POST /api/restart by owner']);
  });

  it('is refused while the configuration says so', async () => {
    const { call, restarts } = await serveApp({ isRestartAllowed: false });
    const { status, text } = await call('POST', '/api/restart');
    expect(status).toBe(403);
    expect(text).toContain('commands.restart');
    expect(restarts).toEqual([]);
  });
});
