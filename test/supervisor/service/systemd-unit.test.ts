import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseUnit, renderSocket, renderUnit } from '../../../supervisor/service/systemd-unit.ts';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';
import { definitionOf, ODD_NAMES, oddDefinition } from './samples.ts';

describe('renderUnit', () => {
  it('is the unit of the manual, with the limits where systemd reads them', () => {
    expect(renderUnit(definitionOf()).split('\n').slice(2)).toEqual([
      '[Unit]',
      'Description=xopc gateway',
      'StartLimitIntervalSec=60',
      'StartLimitBurst=5',
      '',
      '[Service]',
      'Type=notify',
      'NotifyAccess=all',
      'TimeoutStartSec=180',
      'WatchdogSec=30',
      'WatchdogSignal=SIGKILL',
      'ExecStart="/bin/sh" "/home/ada/.xopc/service/start.sh" "/usr/bin/node" "/usr/lib/node_modules/@xopcai/gateway/dist/bin/xopc.js" ' +
        '"gateway" "--config" "/home/ada/.xopc/xopc.json" "--env-file" "/home/ada/.xopc/service/gateway.env"',
      'ExecReload=/bin/sh -c "kill -USR1 $$MAINPID"',
      'WorkingDirectory=-/home/ada/.xopc/',
      'Environment="XOPC_HOME=/home/ada/.xopc"',
      'Environment="XOPC_STATE_DIR=/home/ada/.xopc"',
      'Environment="XOPC_SERVICE_VERSION=1.2.3"',
      'Environment="XOPC_LOG_CONSOLE=false"',
      'Environment="XOPC_SERVICE_MARKER=systemd"',
      'Restart=always',
      'RestartSec=5',
      'RestartPreventExitStatus=78',
      'KillMode=mixed',
      'TimeoutStopSec=40',
      'OOMPolicy=continue',
      'UMask=0077',
      'NoNewPrivileges=yes',
      'LockPersonality=yes',
      'RestrictRealtime=yes',
      'RestrictSUIDSGID=yes',
      'SystemCallArchitectures=native',
      '',
      '[Install]',
      'WantedBy=default.target',
      '',
    ]);
  });

  it('tells the manager nothing where systemd-notify is missing', () => {
    const unit = renderUnit(definitionOf({ hasNotify: false }));
    expect(unit).toContain('Type=simple');
    expect(unit).not.toMatch(/Watchdog|NotifyAccess|TimeoutStartSec/);
  });

  it('of the whole machine names its account and waits for the network', () => {
    const unit = renderUnit(definitionOf({ scope: 'system' }));
    expect(unit).toContain('User=ada\n');
    expect(unit).toContain('After=network-online.target\n');
    expect(unit).toContain('WantedBy=multi-user.target\n');
  });

  it('with sockets is started and stopped with them', () => {
    const definition = definitionOf({ sockets: ['127.0.0.1:18790', '[::1]:18790'] });
    expect(renderUnit(definition)).toMatch(/Requires=xopc-gateway.socket\nAfter=xopc-gateway.socket\n/);
    expect(renderSocket(definition)).toContain(
      'ListenStream=127.0.0.1:18790\nListenStream=[::1]:18790\nBacklog=4096\n',
    );
  });
});

describe('parseUnit', () => {
  it.each(['plain', ...ODD_NAMES])('reads back what was written for a folder called %j', (folder) => {
    const { node, entry, args, environment, serviceDir } = oddDefinition(folder);
    expect(parseUnit(renderUnit(oddDefinition(folder)))).toEqual({
      ...{ node, entry, args, hasSocket: false, launcher: `${serviceDir}/start.sh` },
      environment: { ...environment, XOPC_SERVICE_MARKER: 'systemd' },
    });
  });

  it.each(['', '[Service]\nExecStart=/usr/bin/true\n'])('finds nothing of ours in %j', (text) => {
    expect(parseUnit(text)).toBeUndefined();
  });
});

describe.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)('systemd-analyze verify', () => {
  it('has nothing to say of any of them', () => {
    const folder = temporaryDirectory();
    const names = ODD_NAMES.map((name, index) => {
      const unit = renderUnit({ ...oddDefinition(name), hasNotify: index % 2 === 0, scope: 'system' });
      mkdirSync(join(folder, 'units'), { recursive: true });
      const path = join(folder, 'units', `odd-${index}.service`);
      writeFileSync(path, unit);
      return path;
    });
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...names], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toBe('');
  });
});
