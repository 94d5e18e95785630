/** Markdown as a chat without markup shows it best: marks go, words, lists and code stay. */
export function toPlainText(markdown: string): string {
  return markdown
    .split(/(```[^\n]*\n[\s\S]*?(?:```|$))/)
    .map((part, index) => (index % 2 === 1 ? stripFence(part) : stripMarks(part)))
    .join('');
}

function stripFence(block: string): string {
  return block.replace(/^```[^\n]*\n/, '').replace(/\n?```$/, '');
}

function stripMarks(text: string): string {
  return text
    .replace(/^#{1,6}\s+/gm, '')
    .replace(/!?\[([^\]\n]*)\]\(([^)\s]+)[^)\n]*\)/g, (_whole, label: string, url: string) =>
      label === '' || label === url ? url : `${label} (${url})`,
    )
    .replace(/(\*\*|__)(?=\S)([^\n]*?\S)\1/g, '$2')
    .replace(/(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])/g, '$1')
    .replace(/~~(?=\S)([^\n]*?\S)~~/g, '$1')
    .replace(/`([^`\n]+)`/g, '$1');
}
