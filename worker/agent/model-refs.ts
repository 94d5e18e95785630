import { GatewayError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { parseModelRef } from './models.ts';
import type { Provider } from './providers/provider.ts';

/** Throws INVALID_REQUEST for a model that a caller names and no provider could have. */
export function assertModelRef(ref: string, providers: ReadonlyMap<string, Provider>): void {
  const parsed = parseModelRef(ref);
  if (parsed !== undefined && providers.has(parsed.provider)) return;
  const known = [...providers.keys()].join(', ');
  throw new GatewayError('INVALID_REQUEST', `model must be provider/model of a configured provider (${known}).`, {
    details: [{ path: 'model', message: 'is of no configured provider' }],
  });
}

/** How long a provider may take to tell what it has, in milliseconds. */
const PATIENCE_MS = 3_000;

/** References of all models that the providers offer, by provider. One that does not answer in time has none. */
export async function listModelRefs(
  providers: ReadonlyMap<string, Provider>,
  log: Logger,
): Promise<{ provider: string; ref: string }[]> {
  const lists = await Promise.all(
    [...providers].map(async ([id, provider]) => {
      try {
        const models = await provider.models(AbortSignal.timeout(PATIENCE_MS));
        return models.map((model) => ({ provider: id, ref: `${id}/${model}` }));
      } catch (error) {
        log.warn({ err: error, provider: id }, 'A provider does not tell its models');
        return [];
      }
    }),
  );
  return lists.flat();
}
