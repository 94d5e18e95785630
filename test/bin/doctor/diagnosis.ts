import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import type { Finding, Scene } from '../../../bin/doctor/finding.ts';
import { doctorEn } from '../../../bin/messages/doctor-en.ts';
import { speakFrom } from '../../../bin/output.ts';
import { type Paths, resolvePaths } from '../../../lib/paths.ts';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';
import { readDocument, runCommand } from '../run-command.ts';

export type Home = { home: string; paths: Paths };

/** A home with all its directories, closed to others, and a free port in its configuration. */
export function createHome(config: string | object = { gateway: { port: 0 } }): Home {
  const home = temporaryDirectory();
  const paths = resolvePaths({ XOPC_HOME: home });
  for (const path of [paths.locksDir, paths.runDir, paths.logsDir, paths.credentialsDir, dirname(paths.databaseFile)]) {
    mkdirSync(path, { mode: 0o700 });
  }
  write(paths.configPath, typeof config === 'string' ? config : JSON.stringify(config));
  return { home, paths };
}

/** Writes a file that is closed to others. */
export function write(path: string, content: string | Buffer): void {
  writeFileSync(path, content, { mode: 0o600 });
}

export type Diagnosis = { code: number; ok: boolean; findings: Finding[]; codes: string[] };

/** What `xopc gateway doctor` finds there. Every finding must have its text, and a fix when it needs one. */
export async function diagnose(home: string, env: Record<string, string> = {}): Promise<Diagnosis> {
  const result = await runCommand(['gateway', 'doctor', '--json'], { XOPC_HOME: home, ...env });
  const { ok, findings } = readDocument(result) as { ok: boolean; findings: Finding[] };
  for (const { severity, message, fix } of findings) {
    expect(severity === 'ok' ? fix === undefined : fix !== undefined && fix !== '').toBe(true);
    expect(`${message} ${fix}`).not.toMatch(/\{\w+\}/);
  }
  expect(ok).toBe(findings.every(({ severity }) => severity !== 'error'));
  expect(result.code).toBe(ok ? 0 : 1);
  return { code: result.code, ok, findings, codes: findings.map(({ code }) => code) };
}

/** The one finding with that code. */
export function find({ findings }: Diagnosis, code: string): Finding {
  const found = findings.find((finding) => finding.code === code);
  if (found === undefined) throw new Error(`No finding ${code} in ${JSON.stringify(findings)}`);
  return found;
}

/** What a check is given, in a home where nothing is. */
export function createScene(change: Partial<Scene> = {}): Scene {
  const paths = resolvePaths({ XOPC_HOME: temporaryDirectory() });
  const instance = { lock: { state: 'free' }, status: undefined, credential: undefined } as const;
  return {
    paths,
    env: {},
    instance,
    now: Date.now(),
    uid: process.getuid?.() ?? null,
    text: speakFrom(doctorEn),
    language: 'en',
    ...change,
  };
}
