import type { Config } from '../lib/config/schema.ts';
import { ensureGeneratedToken } from '../lib/credential.ts';
import type { Environment } from '../lib/env.ts';
import { ExitError } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import type { WorkerOverrides } from '../lib/ipc.ts';
import type { Paths } from '../lib/paths.ts';
import { explainWeakPassword, explainWeakToken } from '../lib/token.ts';
import type { Credential } from './identify.ts';

export type CredentialOptions = {
  config: Config;
  env: Environment;
  overrides: WorkerOverrides;
  paths: Paths;
  isLoopback: boolean;
};

/**
 * The credential that callers must present. A missing token is generated and kept (manual "Authentication"). Throws ExitError 78
 * for a weak secret, and for no authentication beyond loopback.
 */
export function resolveCredential({ config, env, overrides, paths, isLoopback }: CredentialOptions): Credential {
  const { mode, token, password, allowUnauthenticatedNetwork } = config.gateway.auth;
  switch (mode) {
    case 'none':
      if (isLoopback || allowUnauthenticatedNetwork) return { mode };
      throw refuse(
        'gateway.auth.mode is "none" on an address that others can reach.',
        'Use mode "token", or bind to loopback.',
      );
    case 'password': {
      const secret = password ?? '';
      const reason = explainWeakPassword(secret);
      if (reason !== undefined)
        throw refuse(
          `The gateway password ${reason}.`,
          'Choose a longer one in gateway.auth.password or XOPC_GATEWAY_PASSWORD.',
        );
      return {
        mode,
        secret,
        source: env['XOPC_GATEWAY_PASSWORD'] === secret ? 'XOPC_GATEWAY_PASSWORD' : paths.configPath,
      };
    }
    case 'token': {
      if (token === undefined) return { mode, secret: ensureGeneratedToken(paths.tokenFile), source: paths.tokenFile };
      const reason = explainWeakToken(token);
      if (reason !== undefined)
        throw refuse(
          `The gateway token ${reason}.`,
          'Remove gateway.auth.token to have one generated, or choose a long random one.',
        );
      return { mode, secret: token, source: describeSource(token, { env, overrides, paths }) };
    }
  }
}

function describeSource(
  token: string,
  { env, overrides, paths }: Pick<CredentialOptions, 'env' | 'overrides' | 'paths'>,
): string {
  if (overrides.token === token) return '--token';
  return env['XOPC_GATEWAY_TOKEN'] === token ? 'XOPC_GATEWAY_TOKEN' : paths.configPath;
}

function refuse(message: string, hint: string): ExitError {
  return new ExitError(EXIT.config, message, { hint });
}
