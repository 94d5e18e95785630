import { GatewayError } from '../../lib/errors.ts';
import { includesScope } from '../../lib/scopes.ts';
import type { Scope } from '../routes/route.ts';
import type { Context } from './state.ts';

/** Throws FORBIDDEN, with the scope that is missing, unless the caller may use a route of that scope. */
export function requireScope({ state }: Context, needed: Scope): void {
  if (needed === 'public') return;
  const { caller } = state;
  if (caller === undefined) throw new GatewayError('FORBIDDEN', `This needs the scope ${needed}.`);
  if (includesScope(caller.scope, needed)) return;
  throw new GatewayError('FORBIDDEN', `This needs the scope ${needed}; "${caller.name}" has ${caller.scope}.`);
}
