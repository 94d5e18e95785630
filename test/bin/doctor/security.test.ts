import { describe, expect, it } from 'vitest';
import { checkSecurity } from '../../../bin/doctor/security.ts';
import { createHome, createScene, diagnose, find } from './diagnosis.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';

describe('the security of the configuration', () => {
  it('is sound as it comes', async () => {
    const { home } = createHome();
    const found = await diagnose(home);
    expect(found.codes).toContain('not-exposed');
    expect(find(found, 'gateway.auth.auto_generated_token').severity).toBe('info');
  });

  it('has what the audit finds, also while nothing runs', async () => {
    const { home } = createHome({
      gateway: { port: 0, bind: 'lan', auth: { mode: 'none', allowUnauthenticatedNetwork: true } },
    });
    const found = await diagnose(home);
    expect(found.ok).toBe(false);
    expect(find(found, 'gateway.auth.none_on_network')).toMatchObject({
      severity: 'error',
      fix: expect.stringContaining('gateway.auth.mode'),
    });
    expect(found.codes).toContain('gateway.bind.all_interfaces');
    expect(found.codes).not.toContain('not-exposed');
  });

  it('judges the credential of the environment, and tells nothing of it', async () => {
    const { home } = createHome();
    const found = await diagnose(home, { XOPC_GATEWAY_TOKEN: 'canary-short-token' });
    expect(find(found, 'gateway.auth.short_token').message).toContain('18');
    expect(JSON.stringify(found)).not.toContain('canary');
  });

  it('is told in Chinese to those who read it', () => {
    const { paths } = createHome({ gateway: { auth: { token: TOKEN }, corsOrigins: ['*'] } });
    const [finding] = checkSecurity(createScene({ paths, language: 'zh' }));
    expect(finding).toMatchObject({
      code: 'gateway.cors.wildcard',
      severity: 'warn',
      message: expect.stringMatching(/网页/),
    });
  });

  it('is left to the other check when the configuration is wrong', () => {
    const { paths } = createHome('{');
    expect(checkSecurity(createScene({ paths }))).toEqual([]);
  });
});
