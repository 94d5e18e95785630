import { describe, expect, it } from 'vitest';
import { createHome, diagnose, find } from './diagnosis.ts';

describe('the configuration', () => {
  it('is told with all its problems, and without what was given for a secret', async () => {
    const { home, paths } = createHome({
      gateway: { port: 'x', auth: { token: 7_654_321_987_654_321 }, drainTimeout: 'soon' },
      channels: { telegram: { botToken: 'x' } },
    });
    const { findings, code } = await diagnose(home);
    const problems = findings.filter((finding) => finding.code === 'config-invalid');
    expect(code).toBe(1);
    expect(problems).toHaveLength(3);
    expect(problems.map(({ message }) => message).join('\n')).toContain('gateway.port');
    expect(problems.every(({ fix }) => fix?.includes(paths.configPath))).toBe(true);
    expect(JSON.stringify(findings)).not.toContain('7654321');
  });

  it('has its unknown keys warned about, with the nearest known one', async () => {
    const { home } = createHome({ gateway: { port: 0, prot: 1 } });
    const found = await diagnose(home);
    expect(find(found, 'config-unknown-key')).toMatchObject({
      severity: 'warn',
      message: expect.stringContaining('did you mean "port"'),
    });
    expect(found.ok).toBe(true);
  });

  it('that is no JSON is an error with its line', async () => {
    const { home } = createHome('{\n  "gateway": {,}\n}');
    expect(find(await diagnose(home), 'config-invalid').message).toContain('line 2');
  });

  it('that cannot be read is an error', async () => {
    const { home, paths } = createHome();
    const env = { XOPC_CONFIG: paths.logsDir };
    expect((await diagnose(home, env)).findings.some(({ severity }) => severity === 'error')).toBe(true);
  });
});
