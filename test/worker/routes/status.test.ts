import { expect, it } from 'vitest';
import { auditExposure } from '../../../lib/audit/audit.ts';
import { VERSION } from '../../../lib/version.ts';
import { createConfig } from '../assembled-gateway.ts';
import { serveApp } from '../served-app.ts';

it('the status tells who runs, since when, what is going on and how exposed it is', async () => {
  const { gateway } = createConfig();
  const findings = auditExposure({ gateway, hosts: ['0.0.0.0'], secret: 'x'.repeat(30) });
  const { call } = await serveApp({ findings });
  const { status, body } = await call('GET', '/api/status');
  expect(status).toBe(200);
  expect(body).toEqual({
    status: 'healthy',
    version: VERSION,
    uptime: expect.any(Number),
    started_at: expect.stringMatching(/^\d{4}-.*Z$/),
    instance_id: 'instance',
    generation: 7,
    secretDetail: true,
    findings: JSON.parse(JSON.stringify(findings)),
  });
  expect(findings.length).toBeGreaterThan(2);
});
