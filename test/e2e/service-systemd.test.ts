import { describe, expect, it } from 'vitest';
import { proveOnMachine, withSystemd } from './service/machine.ts';

/** The whole machine is real but the kernel: what is proven here is what a user of Debian sees. */
const MINUTES = 2 * 60_000;

const WAIT_FOR_HEALTH = `
  [ -d /home/tester/.xopc ] || exit 0
  for i in $(seq 100); do
    if curl -sf http://127.0.0.1:18790/health > /home/tester/before-login; then break; fi
    sleep 0.1
  done
  chmod 644 /home/tester/before-login
`;

describe.skipIf(withSystemd === undefined)(
  'the service under a real systemd (skipped without XOPC_WITH_SYSTEMD, the path of with-systemd, and root)',
  () => {
    it.each([
      ['is installed, survives kill -9, restarts under load, stays down when told, and leaves nothing', 'live', []],
      ['ends for good with 78, is watched, and gives up after five starts', 'fail', []],
      ['says what is not as it was installed, and install mends it', 'drift', []],
      ['is upgraded without a refused connection, and outlives its program and its Node.js', 'upgrade', []],
      ['lives in paths with spaces, quotes, percent signs and Chinese', 'odd', []],
      ['says what to do when it may not live on', 'lingerRefused', ['--no-polkit']],
      ['is there after a boot before anybody logs in', 'reboot', ['--reboot', '--prepare', WAIT_FOR_HEALTH]],
      ['is installed by su without a log-in, and for the whole machine', 'withoutLogIn', ['--user', 'root']],
    ])(
      '%s',
      async (_what, scenario, options) => {
        const { code, output } = await proveOnMachine(scenario, { options });
        expect(code, output).toBe(0);
      },
      MINUTES,
    );
  },
);
