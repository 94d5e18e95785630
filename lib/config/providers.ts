import * as v from 'valibot';
import { describe, reserve } from './describe.ts';
import { duration } from './numbers.ts';

const url = v.pipe(v.string(), v.url('must be a URL'));
const headers = v.record(v.string(), v.string());

/** An entry of `providers`: an API key, or an object. */
const provider = v.union(
  [
    v.string(),
    v.object({
      api: describe(
        v.optional(v.picklist(['openai', 'anthropic'])),
        'Wire protocol; "openai" is any compatible server.',
      ),
      baseUrl: describe(v.optional(url), 'Where its API is; needed for a provider that is not built in.'),
      apiKey: describe(v.optional(v.string()), 'Its key. Left out: the variable of a built-in provider.'),
      headers: describe(v.optional(headers), 'Headers sent with each request. Older spelling: request.headers.'),
      models: describe(v.optional(v.array(v.string())), 'Model ids to offer.'),
      requestTimeout: describe(
        duration('2m'),
        'Longest silence of the provider before a request is given up. Older spelling: request.timeoutMs.',
      ),
      region: reserve(v.string(), 'Region of the cloud.'),
      imageBaseUrl: reserve(url, 'Where pictures are made, when elsewhere.'),
      azure: reserve(
        v.object({
          resource: v.optional(v.string()),
          deployment: v.optional(v.string()),
          apiVersion: v.optional(v.string()),
        }),
        'Resource, deployment and API version at Azure.',
      ),
    }),
  ],
  'must be an API key or {"baseUrl", "apiKey", ...}',
);

/** `providers`: who runs the models. */
export const providers = v.record(v.string(), provider);

/** `models`: what the gateway is to know of models, besides what is built in. */
export const models = v.object({
  providers: describe(
    v.optional(v.record(v.string(), v.record(v.string(), v.unknown()))),
    'Providers with their models, as in models.json.',
  ),
});
