import { documentAnswer } from '../../lib/answers.ts';
import { docsQuery } from '../../lib/api.ts';
import { defineRoute, type Route } from './route.ts';

/** The OpenAPI document of all routes, and the same as a page. What makes them is loaded when somebody asks. */
export function documentRoutes(listAll: () => readonly Route[]): Route[] {
  const build = async () => (await import('../openapi/document.ts')).buildDocument(listAll());
  return [
    defineRoute({
      method: 'GET',
      path: '/api/openapi.json',
      scope: 'operator.read',
      tag: 'Operations',
      summary: 'This description as an OpenAPI 3.1 document',
      answers: { 200: documentAnswer },
      handle: build,
    }),
    defineRoute({
      method: 'GET',
      path: '/api/docs',
      scope: 'public',
      tag: 'Operations',
      summary: 'This description as a page',
      query: docsQuery,
      answers: {},
      media: ['text/html'],
      async handle({ ctx, query }) {
        const { docsPolicy, renderPage } = await import('../openapi/page.ts');
        ctx.set({ 'Cache-Control': 'no-cache', 'Content-Security-Policy': docsPolicy() });
        ctx.vary('Accept-Language');
        ctx.type = 'text/html';
        ctx.body = renderPage(await build(), query.lang ?? (ctx.acceptsLanguages('en', 'zh') === 'zh' ? 'zh' : 'en'));
        return undefined;
      },
    }),
  ];
}
