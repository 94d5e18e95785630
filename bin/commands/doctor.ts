import { EXIT } from '../../lib/exit.ts';
import { resolvePaths } from '../../lib/paths.ts';
import type { CommandContext } from '../context.ts';
import { diagnose } from '../doctor/diagnose.ts';
import type { Finding, Scene, Severity } from '../doctor/finding.ts';
import { type DoctorMessages, doctorEn } from '../messages/doctor-en.ts';
import { doctorZh } from '../messages/doctor-zh.ts';
import { type Output, speakFrom } from '../output.ts';

/** `xopc gateway doctor`: looks at everything and changes nothing. Exit 0 when nothing is an error, else 1. */
export async function runDoctor(
  { env, output, configFlag }: CommandContext,
  options: Record<string, unknown>,
): Promise<number> {
  const { language } = output;
  const text = speakFrom<keyof DoctorMessages>(language === 'zh' ? doctorZh : doctorEn);
  const findings = await diagnose({ paths: resolvePaths(env, configFlag), env, text, language });
  const isSound = findings.every(({ severity }) => severity !== 'error');
  if (options['json'] === true) output.json({ ok: isSound, findings });
  else print(findings, output, text);
  return isSound ? EXIT.ok : EXIT.failure;
}

function print(findings: readonly Finding[], output: Output, text: Scene['text']): void {
  for (const { severity, message, fix } of findings) {
    const { sign, word } = LABELS[severity];
    output.line(`${output.isTerminal ? sign : `${text(word)}:`} ${message}`);
    if (fix !== undefined) output.line(`   → ${fix}`);
  }
  const count = (wanted: Severity): number => findings.filter(({ severity }) => severity === wanted).length;
  const counts = { errors: count('error'), warnings: count('warn') };
  output.line();
  output.line(counts.errors + counts.warnings === 0 ? text('doctorFine') : text('doctorCounts', counts));
}

const LABELS: Readonly<Record<Severity, { sign: string; word: keyof DoctorMessages }>> = {
  ok: { sign: '✅', word: 'severityOk' },
  info: { sign: 'ℹ️ ', word: 'severityInfo' },
  warn: { sign: '⚠️ ', word: 'severityWarn' },
  error: { sign: '❌', word: 'severityError' },
};
