import { describe, expect, it } from 'vitest';
import { EXIT, serviceExitCode } from '../../lib/exit.ts';

describe('the exit code of the gateway', () => {
  it.each([
    { code: EXIT.ok, none: 0, systemd: 0, launchd: 0, schtasks: 0 },
    { code: EXIT.failure, none: 1, systemd: 1, launchd: 1, schtasks: 1 },
    { code: EXIT.usage, none: 2, systemd: 2, launchd: 2, schtasks: 2 },
    { code: EXIT.portBusy, none: 69, systemd: 78, launchd: 0, schtasks: 0 },
    { code: EXIT.software, none: 70, systemd: 70, launchd: 70, schtasks: 70 },
    { code: EXIT.alreadyRunning, none: 75, systemd: 78, launchd: 0, schtasks: 0 },
    { code: EXIT.protocol, none: 76, systemd: 76, launchd: 76, schtasks: 76 },
    { code: EXIT.config, none: 78, systemd: 78, launchd: 0, schtasks: 0 },
    { code: EXIT.interrupted, none: 130, systemd: 130, launchd: 130, schtasks: 130 },
    { code: EXIT.terminated, none: 143, systemd: 143, launchd: 143, schtasks: 143 },
  ])('$code is $none alone, $systemd for systemd, $launchd for launchd, $schtasks for the task scheduler', (row) => {
    const { code, ...expected } = row;
    expect({
      none: serviceExitCode(code, undefined),
      systemd: serviceExitCode(code, 'systemd'),
      launchd: serviceExitCode(code, 'launchd'),
      schtasks: serviceExitCode(code, 'schtasks'),
    }).toEqual(expected);
  });

  it('is left as it is for a manager that we do not know', () => {
    expect(serviceExitCode(EXIT.portBusy, 'somebody')).toBe(EXIT.portBusy);
  });
});
