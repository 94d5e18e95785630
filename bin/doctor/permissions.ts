import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Paths } from '../../lib/paths.ts';
import { type Finding, fine, type Scene, trouble } from './finding.ts';

/** Directories and files that other users may open, that belong to somebody else, or that we cannot write (SEC-2). */
export function checkPermissions(scene: Scene): Finding[] {
  // Windows has no POSIX modes: what is in the profile directory is the owner's.
  if (scene.uid === null) return [];
  const directories = listDirectories(scene.paths);
  const secrets = listSecrets(scene.paths);
  const findings = [
    ...directories.flatMap((path) => judge(path, 0o700, scene)),
    ...secrets.flatMap((path) => judge(path, 0o600, scene)),
    ...[scene.paths.stateDir, ...directories].filter(existsSync).flatMap((path) => judgeAccess(path, scene)),
  ];
  return findings.length > 0 ? findings : [fine(scene, 'files-private')];
}

/** Those that are ours alone; a configuration or state directory may lie in a folder that is not. */
function listDirectories({ locksDir, runDir, logsDir, credentialsDir, databaseFile }: Paths): string[] {
  return [locksDir, runDir, logsDir, credentialsDir, dirname(databaseFile)];
}

function listSecrets({ configPath, credentialsDir, databaseFile, logFile }: Paths): string[] {
  const credentials = listNames(credentialsDir);
  const database = ['', '-wal'].map((suffix) => `${databaseFile}${suffix}`);
  return [configPath, ...credentials.map((name) => join(credentialsDir, name)), ...database, logFile];
}

/** What cannot be listed belongs to somebody else, which is a finding of its own. */
function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function judge(path: string, wanted: number, scene: Scene): Finding[] {
  const found = look(path);
  if (found === undefined) return [];
  const findings: Finding[] = [];
  const uid = scene.uid ?? found.uid;
  if ((found.mode & 0o077) !== 0) {
    const values = { path, mode: octal(found.mode & 0o777), wanted: octal(wanted) };
    findings.push(trouble(scene, { severity: 'warn', code: 'open-to-others', values }));
  }
  if (found.uid !== uid) {
    const values = { path, owner: found.uid, uid };
    // The superuser can work with what belongs to others, and may only be looking.
    findings.push(trouble(scene, { severity: uid === 0 ? 'info' : 'error', code: 'foreign-owner', values }));
  }
  return findings;
}

/** Undefined when it is not there, or lies in a folder that we may not enter. */
function look(path: string): { mode: number; uid: number } | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function judgeAccess(path: string, scene: Scene): Finding[] {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return [];
  } catch {
    return [trouble(scene, { severity: 'error', code: 'not-writable', values: { path } })];
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}
