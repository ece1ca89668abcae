import { environmentSchema } from '@soku/contract/key-values';
import { isScope, maxScopes } from '@soku/contract/scopes';
import type { ApiProblem } from '../http/errors.ts';
import type { VerifyOptions } from './result.ts';

/** What a proxy requires of a key, besides being valid. */
export type KeyRequirements = Required<
  Pick<VerifyOptions, 'needs' | 'denied' | 'environment' | 'workspaceId'>
>;

/**
 * Reads what a verification request requires of the key: `scope`, `environment` and `workspace` in its query, and the
 * scopes in `X-Soku-Require-Scopes`. Other parameters are ignored. Some proxies append the query of their client, and
 * forward its header fields, so nothing here can allow more than the request would without it. A value that no key can
 * have, such as an empty one, is not ignored: no key is accepted then.
 *
 * @param query '' if it is absent, or belongs to the client of another API
 * @param scopes the header field; undefined if it is absent. Several are joined by spaces
 */
export function readKeyRequirements(query: string, scopes: string | undefined): KeyRequirements {
  const parameters = new URLSearchParams(query);
  const needs = [...parameters.getAll('scope'), ...(scopes === undefined ? [] : [scopes])].flatMap(
    splitScopes,
  );
  const environments = new Set(parameters.getAll('environment'));
  const workspaces = new Set(parameters.getAll('workspace'));
  const { data: environment } = environmentSchema.safeParse([...environments][0]);
  const denied = checkScopes(needs) ?? checkEnvironments(environments);
  return {
    needs: needs.length > 0 ? needs : undefined,
    denied,
    environment,
    // No key belongs to several workspaces, so several values reject every key.
    workspaceId: workspaces.size > 0 ? [...workspaces].join(' ') : undefined,
  };
}

/** Proxies may join several fields with a comma (RFC 9110 section 5.3). An empty value stays, and is not a scope. */
function splitScopes(value: string): string[] {
  return value.trim().split(/[ \t,]+/);
}

/** The values are not repeated, because they may come from the client, and the message is sent in header fields. */
function checkScopes(needs: readonly string[]): ApiProblem | undefined {
  if (needs.length > maxScopes) {
    return {
      code: 'insufficient_scope',
      message: `More than ${maxScopes} scopes are required for this request, so no key is accepted. The operator must correct the configuration of the proxy.`,
    };
  }
  if (needs.every(isScope)) return undefined;
  return {
    code: 'insufficient_scope',
    message:
      'A scope that is required for this request is empty or not the name of a scope, so no key is accepted. The operator must correct the configuration of the proxy.',
  };
}

function checkEnvironments(environments: ReadonlySet<string>): ApiProblem | undefined {
  const areValid = [...environments].every((one) => environmentSchema.safeParse(one).success);
  if (environments.size <= 1 && areValid) return undefined;
  return {
    code: 'wrong_environment',
    message:
      'No key has the environment that is required for this request, so no key is accepted. The operator must correct the configuration of the proxy.',
  };
}
