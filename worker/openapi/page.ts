import { createHash } from 'node:crypto';
import type { OpenApiDocument } from './document.ts';
import { type Chapter, type Entry, type Field, outlineDocument } from './outline.ts';

export type Language = 'en' | 'zh';

/** The style is in the page and allowed by its hash; nothing else is: no script, no other host, no frame around it. */
export function docsPolicy(): string {
  const hash = createHash('sha256').update(STYLE).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

/** The document as one HTML page without any script. */
export function renderPage(document: OpenApiDocument, language: Language): string {
  const texts = TEXTS[language];
  const chapters = outlineDocument(document);
  return `<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${texts.title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${texts.title} <small>${escapeHtml(document.info.version)}</small></h1>
<p><a href="?lang=${texts.other}" lang="${texts.other}">${texts.otherName}</a></p>
<p>${texts.intro}</p>
<nav>${chapters.map(({ name }) => `<a href="#${name}">${escapeHtml(texts.chapters[name] ?? name)}</a>`).join(' ')}</nav>
</header>
<main>
${chapters.map((chapter) => renderChapter(chapter, texts)).join('\n')}
</main>
</body>
</html>
`;
}

type Texts = {
  title: string;
  intro: string;
  other: Language;
  otherName: string;
  scope: string;
  everybody: string;
  parameters: string;
  body: string;
  answer: string;
  errors: string;
  example: string;
  required: string;
  chapters: Readonly<Record<string, string>>;
};

const TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    title: 'xopc gateway API',
    intro:
      'JSON in and out. Send the token as <code>Authorization: Bearer</code> or <code>X-Api-Key</code>. Errors are <code>{"error": {"code", "message", "details"?}}</code>. The same for programs: <code>GET /api/openapi.json</code>.',
    other: 'zh',
    otherName: '中文',
    scope: 'Needs',
    everybody: 'nothing, open to everybody',
    parameters: 'Parameters',
    body: 'Body',
    answer: 'Answer',
    errors: 'Errors',
    example: 'Example',
    required: 'required',
    chapters: {},
  },
  zh: {
    title: 'xopc 网关 API',
    intro:
      '请求与响应均为 JSON。令牌通过 <code>Authorization: Bearer</code> 或 <code>X-Api-Key</code> 传递。错误格式为 <code>{"error": {"code", "message", "details"?}}</code>。供程序读取的版本:<code>GET /api/openapi.json</code>。',
    other: 'en',
    otherName: 'English',
    scope: '所需权限',
    everybody: '无,公开',
    parameters: '参数',
    body: '请求体',
    answer: '响应',
    errors: '错误',
    example: '示例',
    required: '必填',
    chapters: {
      Messages: '消息',
      Agent: '智能体',
      Sessions: '会话',
      Outbox: '发件箱',
      Channels: '通道',
      Pairing: '配对',
      Operations: '运维',
      OpenAI: 'OpenAI 兼容',
      Console: '控制台',
    },
  },
};

function renderChapter({ name, entries }: Chapter, texts: Texts): string {
  const title = escapeHtml(texts.chapters[name] ?? name);
  return `<section id="${name}"><h2>${title}</h2>${entries.map((entry) => renderEntry(entry, texts)).join('\n')}</section>`;
}

function renderEntry(entry: Entry, texts: Texts): string {
  const { method, path, summary, description, scope, parameters, body, answers, errors, example } = entry;
  const scopeText = scope === 'public' ? texts.everybody : `<code>${scope}</code>`;
  return `<details><summary><b>${method}</b> <code>${escapeHtml(path)}</code> <span>${escapeHtml(summary)}</span></summary>
${description === undefined ? '' : `<p>${escapeHtml(description)}</p>`}
<p>${texts.scope}: ${scopeText}</p>
${renderFields(texts.parameters, parameters, texts)}${renderFields(texts.body, body, texts)}
${answers.map(({ status, text, fields }) => renderFields(`${texts.answer} ${status}: ${escapeHtml(text)}`, fields, texts, true)).join('\n')}
<p>${texts.errors}: ${errors.map(({ status, codes }) => `${status} <code>${escapeHtml(codes)}</code>`).join(' · ')}</p>
<p>${texts.example}:</p><pre>${escapeHtml(example)}</pre></details>`;
}

/** A table with a heading; without fields nothing, or the heading alone when that says something. */
function renderFields(heading: string, fields: readonly Field[], texts: Texts, isHeadingKept = false): string {
  if (fields.length === 0) return isHeadingKept ? `<h3>${heading}</h3>` : '';
  const rows = fields.map(
    ({ name, where, type, isRequired, description }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(type)}${isRequired && where !== 'answer' ? ` <em>${texts.required}</em>` : ''}</td><td>${escapeHtml(description)}</td></tr>`,
  );
  return `<h3>${heading}</h3><table>${rows.join('')}</table>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
nav a { margin-right: .8rem; }
details { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary b { display: inline-block; min-width: 4.2rem; }
summary span { opacity: .75; }
h3 { font-size: 1rem; margin: .8rem 0 .2rem; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .2rem .6rem .2rem 0; vertical-align: top; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .6rem; background: color-mix(in srgb, currentColor 8%, transparent); }
`;
