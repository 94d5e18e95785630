import { configAnswer, configChangedAnswer, configRevisionsAnswer, configSchemaAnswer } from '../../lib/answers.ts';
import { configChangeQuery, configPatchRequest, idPath } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { Changed, ChangeOptions, ConfigFile } from '../config/file.ts';
import type { Context } from '../middleware/state.ts';
import { defineRoute, type Route } from './route.ts';

/** The configuration file: read without credentials, changed by merge patch, earlier ones listed and restored (SPEC 5). */
export function configRoutes(file: ConfigFile): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/config',
      scope: 'operator.admin',
      tag: 'Configuration',
      summary: 'Shows the configuration file, without its credentials',
      answers: { 200: configAnswer },
      handle({ ctx }) {
        const answer = file.read();
        ctx.set('ETag', `"${answer.revision}"`);
        return answer;
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/config',
      scope: 'operator.admin',
      tag: 'Configuration',
      summary: 'Changes the configuration file by a merge patch',
      description:
        'RFC 7396. Credentials as they are shown may be sent back and stay as they are. With If-Match, only that revision is changed.',
      query: configChangeQuery,
      body: configPatchRequest,
      example: { logging: { level: 'debug' } },
      answers: { 200: configChangedAnswer },
      errors: ['CONFLICT'],
      async handle({ ctx, body, query }) {
        return answerChange(ctx, file, await file.patch(body, readOptions(ctx, query.confirm_loss)));
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/config/schema',
      scope: 'operator.read',
      tag: 'Configuration',
      summary: 'Describes the configuration file',
      answers: { 200: configSchemaAnswer },
      // Loaded when somebody asks: few do.
      handle: async () => (await import('../../lib/config/json-schema.ts')).buildConfigJsonSchema(),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/config/revisions',
      scope: 'operator.admin',
      tag: 'Configuration',
      summary: 'Lists earlier configuration files',
      answers: { 200: configRevisionsAnswer },
      handle: () => ({
        items: file
          .revisions()
          .map(({ id, at, revision }) => ({ id, revision, replaced_at: new Date(at).toISOString() })),
      }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/config/revisions/:id/restore',
      scope: 'operator.admin',
      tag: 'Configuration',
      summary: 'Goes back to an earlier configuration file',
      params: idPath,
      query: configChangeQuery,
      answers: { 200: configChangedAnswer },
      errors: ['NOT_FOUND', 'CONFLICT'],
      async handle({ ctx, query, params: { id } }) {
        if (!/^\d{1,9}$/.test(id)) throw new GatewayError('NOT_FOUND', `There is no revision "${id}".`);
        return answerChange(ctx, file, await file.restore(Number(id), readOptions(ctx, query.confirm_loss)));
      },
    }),
  ];
}

function readOptions(ctx: Context, confirmLoss: string): ChangeOptions {
  const given = ctx.get('If-Match').trim();
  const expected = given === '' || given === '*' ? undefined : given.replace(/^(?:W\/)?"(.*)"$/, '$1');
  return { expected, allowsLoss: confirmLoss === 'true' };
}

function answerChange(ctx: Context, file: ConfigFile, { revision, changes, problems }: Changed) {
  ctx.set('ETag', `"${revision}"`);
  return { status: 'ok' as const, revision, changes, problems, config: file.read().config };
}
