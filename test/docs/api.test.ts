import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildDocument } from '../../worker/openapi/document.ts';
import { serveApp } from '../worker/served-app.ts';
import { renderMarkdown } from './api-markdown.ts';

it('docs/api.md is what the routes say; `npm run docs` writes it anew', async () => {
  const { productRoutes } = await serveApp();
  const document = buildDocument(productRoutes);
  const path = join(import.meta.dirname, '..', '..', 'docs', 'api.md');
  await expect(renderMarkdown(document)).toMatchFileSnapshot(path);
});
