import type { OpenApiDocument } from '../../worker/openapi/document.ts';
import { type Chapter, type Entry, type Field, outlineDocument } from '../../worker/openapi/outline.ts';

/** The document as Markdown, for reading beside the code; without the version, which changes with every release. */
export function renderMarkdown(document: OpenApiDocument): string {
  const chapters = outlineDocument(document);
  return [
    '# HTTP API',
    '<!-- Written by `npm run docs` out of the schemas that check the requests. Do not edit. -->',
    document.info.description,
    'The credential goes into `Authorization: Bearer` or `X-Api-Key`. A running gateway shows the same at `/api/docs`, and as OpenAPI 3.1 at `/api/openapi.json`. In the examples `$GATEWAY` is `http://localhost:18790` and `$TOKEN` what `xopc gateway token --show` prints.',
    chapters.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(' · '),
    ...chapters.flatMap(renderChapter),
  ]
    .join('\n\n')
    .concat('\n');
}

function renderChapter({ name, entries }: Chapter): string[] {
  return [`## ${name}`, ...entries.flatMap(renderEntry)];
}

function renderEntry(entry: Entry): string[] {
  const { method, path, summary, description, scope, parameters, body, answers, errors, example } = entry;
  const needs = scope === 'public' ? 'Open to everybody.' : `Needs \`${scope}\`.`;
  return [
    `### ${method} ${path}`,
    [`${summary}.`, description, needs].filter((text) => text !== undefined).join(' '),
    ...(example === '' ? [] : [`\`\`\`sh\n${example}\n\`\`\``]),
    ...renderTable('Parameter', parameters, ({ where, isRequired }) => `${where}${isRequired ? ', required' : ''}`),
    ...renderTable('Body', body, ({ isRequired }) => (isRequired ? 'required' : '')),
    ...answers.flatMap(({ status, text, fields }) => [
      `**${status}** ${text}`,
      ...renderTable('Answer', fields, ({ isRequired }) => (isRequired ? '' : 'not always')),
    ]),
    `Errors: ${errors.map(({ status, codes }) => `${status} ${codes}`).join(' · ')}`,
  ];
}

function renderTable(title: string, fields: readonly Field[], note: (field: Field) => string): string[] {
  if (fields.length === 0) return [];
  const rows = fields.map((field) =>
    [`\`${field.name}\``, escapeCell(field.type), note(field), escapeCell(field.description)].join(' | '),
  );
  return [[`| ${title} | Type | | |`, '|---|---|---|---|', ...rows.map((row) => `| ${row} |`)].join('\n')];
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
