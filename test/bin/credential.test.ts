import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDocument } from './run-command.ts';
import { always, openStandIn, serveHttp } from './stand-in.ts';

/** What the stand-in says it was started with, as by `--token`. */
const token = 'canary0123456789abcdef0123456789abcdef';

describe('the credential of a gateway that runs', () => {
  it('is the one it was started with, not the one in the configuration', async () => {
    const gateway = await openStandIn({ config: { gateway: { auth: { token: 'another-token-of-the-file' } } } });
    expect(await gateway.run('token', '--show', '--yes')).toMatchObject({ code: 0, stdout: `${token}\n` });
    expect(readDocument(await gateway.run('token', '--json'))).toMatchObject({ token: 'canary01...89abcdef' });
  });

  it('is what pairing presents, at the address that it really listens on', async () => {
    const seen: unknown[] = [];
    const port = await serveHttp((request, response) => {
      seen.push([request.url, request.headers.authorization]);
      always({ items: [] })(request, response);
    });
    const gateway = await openStandIn({ config: { gateway: { port: 1, bind: 'lan' } }, port });
    expect((await gateway.run('pairing', 'list')).code).toBe(0);
    expect(seen).toEqual([['/api/pairings', `Bearer ${token}`]]);
  });

  it('is none when it asks for none', async () => {
    const handle = { token: () => ({ authMode: 'none', token: null }) };
    const gateway = await openStandIn({ handle });
    expect(await gateway.run('token')).toMatchObject({ code: 1, stderr: expect.stringContaining('"none"') });
    const { stdout } = await gateway.run('status', '--no-probe');
    expect(stdout).not.toContain('Token');
    expect(readDocument(await gateway.run('status', '--no-probe', '--json'))).not.toHaveProperty('token');
  });

  it('is not shown in part when it is a password', async () => {
    const handle = { token: () => ({ authMode: 'password', token: 'canary-password' }) };
    const gateway = await openStandIn({ handle });
    for (const args of [['status'], ['status', '--json'], ['token'], ['token', '--show', '--yes']]) {
      const { stdout, stderr } = await gateway.run(...args);
      expect(stdout + stderr).not.toContain('ca...rd');
      expect(stdout + stderr).not.toContain('canary');
    }
  });

  it('comes from the files when the control socket does not answer in time', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const gateway = await openStandIn({ handle: { status: never, token: never } });
    const folder = join(gateway.home, 'credentials');
    mkdirSync(folder);
    writeFileSync(join(folder, 'gateway-token'), 'generated0123456789abcdef0123456789\n');
    const startedAt = Date.now();
    expect((await gateway.run('token', '--show', '--yes')).stdout).toBe('generated0123456789abcdef0123456789\n');
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });
});
