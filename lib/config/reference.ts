import { NOT_USED_YET } from './describe.ts';
import { buildConfigJsonSchema } from './json-schema.ts';
import { MANUAL_ZH } from './reference-zh.ts';
import { MANUAL_ZH_CHANNELS } from './reference-zh-channels.ts';
import { isRecord } from './source.ts';

export type ReferenceLanguage = 'en' | 'zh';

type Row = { path: string; type: string; fallback: string; text: string; isReserved: boolean };

/** The reference table of every setting in Markdown, made from the schema. Throws for a setting without a text in the language. */
export function renderReference(language: ReferenceLanguage): string {
  const rows = listRows(buildConfigJsonSchema(), '', false);
  const sections = [...new Set(rows.map(({ path }) => sectionOf(path)))];
  const words = WORDS[language];
  const parts = sections.map((section) => {
    const own = rows.filter(({ path }) => sectionOf(path) === section);
    const table = own.map((row) => renderRow(row, language)).join('\n');
    return `## ${section}\n\n| ${words.columns.join(' | ')} |\n|---|---|---|---|\n${table}\n`;
  });
  return `${words.head}\n${parts.join('\n')}`;
}

const WORDS = {
  en: {
    columns: ['key', 'type', 'default', 'meaning'],
    reserved: '*Not used yet.*',
    head: `# Configuration reference

Generated from the schema; \`*\` stands for any name or item. The file is JSON with comments. \`\${NAME}\` and \`\${NAME:-default}\`
in a text are the environment variable of that name. What is marked *Not used yet* is accepted and checked, so that a file may
already hold it, but has no effect in this version; the log says so.
`,
  },
  zh: {
    columns: ['键', '类型', '默认值', '含义'],
    reserved: '*尚未使用。*',
    head: `# 配置参考

由配置模式自动生成;\`*\` 代表任意名称或列表项。文件为可带注释的 JSON。文本中的 \`\${NAME}\` 与 \`\${NAME:-默认值}\`
会替换为同名环境变量。标为*尚未使用*的项会被接受并检查,可以先写进文件,但在此版本中不起作用;日志会说明。
`,
  },
} as const;

function sectionOf(path: string): string {
  return path.split('.')[0] ?? path;
}

function renderRow({ path, type, fallback, text, isReserved }: Row, language: ReferenceLanguage): string {
  const meaning = language === 'zh' ? translate(text, path) : text;
  const cells = [`\`${path}\``, type, fallback, isReserved ? `${meaning} ${WORDS[language].reserved}` : meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function translate(text: string, path: string): string {
  const found = MANUAL_ZH[text] ?? MANUAL_ZH_CHANNELS[text];
  if (found === undefined) throw new Error(`${path} has no Chinese text for: ${text}`);
  return found;
}

function listRows(node: unknown, path: string, isInReserved: boolean): Row[] {
  if (!isRecord(node)) return [];
  const own = typeof node['description'] === 'string' ? node['description'] : '';
  const isReserved = isInReserved || own.endsWith(NOT_USED_YET);
  const text = own.replace(NOT_USED_YET, '').trim();
  const row = { path, type: typeOf(node), fallback: printDefault(node['default']), text, isReserved };
  const variants = Array.isArray(node['anyOf']) ? node['anyOf'] : [];
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  return [
    ...(text === '' ? [] : [row]),
    ...listProperties(node).flatMap(([key, item]) => listRows(item, at(key), isReserved)),
    ...listRows(node['additionalProperties'], at('*'), isReserved),
    ...listRows(node['items'], at('*'), isReserved),
    ...variants.flatMap((variant: unknown) => listRows(variant, path, isReserved)),
  ];
}

function listProperties(node: Record<string, unknown>): [string, unknown][] {
  return isRecord(node['properties']) ? Object.entries(node['properties']) : [];
}

function typeOf(node: Record<string, unknown>): string {
  if (Array.isArray(node['enum'])) return node['enum'].map((item) => `\`${String(item)}\``).join(' ');
  if (Array.isArray(node['anyOf'])) {
    const kinds = node['anyOf'].filter(isRecord).map((variant) => typeOf(variant));
    return [...new Set(kinds)].join(' / ');
  }
  const { minimum, maximum } = node as { minimum?: number; maximum?: number };
  const limits = minimum === undefined || maximum === undefined ? '' : ` ${minimum}–${maximum}`;
  return `${String(node['type'] ?? '')}${limits}`;
}

function printDefault(value: unknown): string {
  return value === undefined || typeof value === 'object' ? '' : `\`${String(value)}\``;
}
