import type { Environment } from '../../lib/env.ts';
import type { Logger } from '../../lib/log.ts';
import { detectLocalServer } from './providers/ollama.ts';
import { createOpenAiProvider } from './providers/openai.ts';
import type { Provider } from './providers/provider.ts';

export type FallbackModelOptions = {
  /** Gets the local server's provider when one is found. */
  providers: Map<string, Provider>;
  /** False when any provider is configured: then the owner has chosen, and nothing is guessed. */
  canDetect: boolean;
  env: Environment;
  log: Logger;
};

export type FallbackModel = {
  /** The model reference for turns that name none: a local server's first model, else the built-in assistant. Never throws. */
  find(): Promise<string>;
};

const OFFLINE = 'offline/assistant';

/** A server that starts after the gateway is found within this time. */
const LOOK_AGAIN_MS = 60_000;

const LOCAL_ID = 'ollama';

/** Finds what answers on a fresh machine without any configuration (SPEC 6). */
export function createFallbackModel({ providers, canDetect, env, log }: FallbackModelOptions): FallbackModel {
  let found = OFFLINE;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking = Promise.resolve();

  async function look(): Promise<void> {
    const server = await detectLocalServer(env, AbortSignal.timeout(1_000));
    const model = server?.models[0];
    const next = model === undefined ? OFFLINE : `${LOCAL_ID}/${model}`;
    if (server !== undefined && model !== undefined) {
      providers.set(
        LOCAL_ID,
        createOpenAiProvider({
          id: LOCAL_ID,
          baseUrl: server.baseUrl,
          apiKey: undefined,
          headers: {},
          models: server.models,
          requestTimeoutMs: 120_000,
        }),
      );
    }
    if (next !== found) log.info({ model: next }, 'No model is configured; this one answers');
    found = next;
  }

  return {
    async find() {
      if (canDetect && Date.now() - lookedAt > LOOK_AGAIN_MS) {
        lookedAt = Date.now();
        looking = look();
      }
      // Also for those who ask while somebody else's look is under way: the first message comes soon after the start.
      await looking;
      return found;
    },
  };
}
