/** What a credential allows, the least first; each includes those before it (manual "Route scopes"). */
export const OPERATOR_SCOPES = ['operator.read', 'operator.write', 'operator.admin'] as const;

export type OperatorScope = (typeof OPERATOR_SCOPES)[number];

/** True when a scope is enough for what another one is asked for. */
export function includesScope(held: OperatorScope, needed: OperatorScope): boolean {
  return OPERATOR_SCOPES.indexOf(held) >= OPERATOR_SCOPES.indexOf(needed);
}

/** The widest of some scopes. */
export function widestScope(scopes: readonly OperatorScope[]): OperatorScope {
  return OPERATOR_SCOPES.findLast((scope) => scopes.includes(scope)) ?? 'operator.read';
}
