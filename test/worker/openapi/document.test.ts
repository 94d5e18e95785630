import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ERROR_STATUS } from '../../../lib/errors.ts';
import { buildDocument, type OpenApiDocument } from '../../../worker/openapi/document.ts';
import { type Served, serveApp } from '../served-app.ts';
import { findViolations, listOperations } from './openapi-rules.ts';

async function fetchDocument({ call }: Served): Promise<OpenApiDocument> {
  const answer = await call('GET', '/api/openapi.json');
  expect(answer.status).toBe(200);
  return answer.body as OpenApiDocument;
}

describe('GET /api/openapi.json', () => {
  it('lists the same routes as the router', async () => {
    const app = await serveApp();
    const document = await fetchDocument(app);
    const routed = app.productRoutes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(listOperations(document).map(({ name }) => name)).toEqual(expect.arrayContaining(routed));
    expect(listOperations(document)).toHaveLength(routed.length);
    expect(new Set(routed).size).toBe(routed.length);
  });

  it('keeps the rules of OpenAPI 3.1', async () => {
    const document = await fetchDocument(await serveApp());
    expect(findViolations(document)).toEqual([]);
  });

  it('has the scope of each route, and asks for a credential where the gateway does', async () => {
    const app = await serveApp();
    const document = await fetchDocument(app);
    for (const { name, operation } of listOperations(document)) {
      const route = app.routes.find(({ method, path }) => name === `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
      expect(operation['x-scope'], name).toBe(route?.scope);
      expect(operation.security.length > 0, name).toBe(route?.scope !== 'public');
    }
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
    });
  });

  it('knows every error code, and each route at least one', async () => {
    const document = await fetchDocument(await serveApp());
    const codes = document.components.schemas['Error'];
    expect(codes).toMatchObject({
      properties: { error: { properties: { code: { enum: Object.keys(ERROR_STATUS) } } } },
    });
    for (const { name, operation } of listOperations(document)) {
      expect(operation.responses, name).toHaveProperty('500');
      if (operation['x-scope'] !== 'public') expect(operation.responses, name).toHaveProperty('401');
    }
  });

  it('describes what the schemas check, numbers and times included', async () => {
    const document = await fetchDocument(await serveApp());
    const { parameters } = document.paths['/api/logs']?.['get'] ?? {};
    expect(parameters).toContainEqual({
      name: 'limit',
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
    });
    const { requestBody } = document.paths['/api/message']?.['post'] ?? {};
    expect(requestBody?.content['application/json']?.schema).toMatchObject({
      required: ['channel', 'chat_id'],
      properties: { content: { type: 'string', maxLength: 200_000 } },
    });
  });

  it('has an example for every body, which is right', async () => {
    const { productRoutes } = await serveApp();
    for (const { path, body, example } of productRoutes.filter((route) => route.body !== undefined)) {
      if (body !== undefined) expect(v.safeParse(body, example), path).toMatchObject({ success: true });
    }
  });

  it('is found wrong when it is wrong', async () => {
    const { productRoutes: routes } = await serveApp();
    const document = buildDocument(routes);
    const [first, ...others] = routes;
    if (first === undefined) throw new Error('There is no route');
    expect(findViolations({ ...document, openapi: '2.0' })).toEqual(['openapi is 2.0']);
    const stray = buildDocument([{ ...first, path: '/api/:id' }, ...others]);
    expect(findViolations(stray)).toEqual(['GET /api/{id}: other path parameters']);
    const lost = { ...document, components: { ...document.components, schemas: {} } };
    expect(findViolations(lost)[0]).toContain('leads nowhere');
  });
});
