import * as v from 'valibot';
import { expect, onTestFinished } from 'vitest';
import { GatewayError } from '../../lib/errors.ts';
import type { Context } from '../../worker/middleware/state.ts';
import { listErrorCodes, type Route } from '../../worker/routes/route.ts';

/** The same routes, each of whose answers is held against what the route declares; the test fails at its end over one that differs. */
export function checkAnswers(routes: readonly Route[]): Route[] {
  const differences: string[] = [];
  onTestFinished(() => expect(differences).toEqual([]));
  return routes.map((route) => ({
    ...route,
    async handle(ctx) {
      try {
        await route.handle(ctx);
      } catch (error) {
        if (error instanceof GatewayError && !listErrorCodes(route).includes(error.code))
          differences.push(`${route.method} ${route.path} fails with ${error.code}, which it does not declare`);
        throw error;
      }
      const difference = findDifference(route, ctx);
      if (difference !== undefined) differences.push(`${route.method} ${route.path} ${ctx.status}: ${difference}`);
    },
  }));
}

function findDifference({ answers, media = [] }: Route, ctx: Context): string | undefined {
  const type = ctx.response.type;
  if (ctx.status === 200 && type !== 'application/json')
    return media.includes(type) ? undefined : `the type ${type} is not declared`;
  const schema = answers[ctx.status];
  if (schema === undefined) return 'the status is not declared';
  const sent: unknown = ctx.body === undefined ? undefined : JSON.parse(JSON.stringify(ctx.body));
  const result = v.safeParse(schema, sent);
  return result.success
    ? undefined
    : result.issues.map((issue) => `${v.getDotPath(issue) ?? ''}: ${issue.message}`).join('; ');
}
