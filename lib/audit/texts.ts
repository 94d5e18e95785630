import { auditEn } from './texts-en.ts';
import { auditZh } from './texts-zh.ts';

export type AuditCheckId = keyof typeof auditEn;

export type AuditText = { title: string; detail: string; remediation: string };

/** What a finding says, in a language, its `{names}` filled in. */
export function describeAudit(
  checkId: AuditCheckId,
  values: Readonly<Record<string, string | number>>,
  language: 'en' | 'zh',
): AuditText {
  const { title, detail, remediation } = (language === 'zh' ? auditZh : auditEn)[checkId];
  const fill = (text: string): string => text.replace(/\{(\w+)\}/g, (_all, name: string) => String(values[name]));
  return { title: fill(title), detail: fill(detail), remediation: fill(remediation) };
}

/** True for the id of a check that this version knows. */
export function isAuditCheckId(id: unknown): id is AuditCheckId {
  return typeof id === 'string' && Object.hasOwn(auditEn, id);
}
