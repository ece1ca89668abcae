/**
 * Scopes: what a key may do. A call requires scopes by name. A key holds grants, each of which covers one or more scopes.
 */
import { z } from 'zod';

/** The scopes of Soku's own API. Most keys have none: they call the API that Soku protects and cannot manage keys. */
export const builtInScopeSchema = z.enum(['keys:read', 'keys:write', 'keys:verify', 'audit:read']);
export type BuiltInScope = z.infer<typeof builtInScopeSchema>;

/** What each of them allows. */
export const builtInScopeDescriptions: Readonly<Record<BuiltInScope, string>> = {
  'keys:read':
    'Read keys with their settings, metadata and usage, including client IP addresses, but never a full key.',
  'keys:write': 'Create, change, rotate and revoke keys.',
  'keys:verify': "Check whether someone else's key is valid.",
  'audit:read': 'Read the audit log.',
};

const notAScope =
  'must be a scope of at most 64 characters: words of a-z, 0-9, _ and -, separated by colons, the first one starting with a letter';

const scopePattern = /^[a-z][a-z0-9_-]*(:[a-z0-9_-]+)*$/;

/** The name of a scope, such as `files:read`. */
export const scopeSchema = z.string(notAScope).max(64, notAScope).regex(scopePattern, notAScope);

/** Maximum number of scopes that a call can require, and of grants that a key can hold. */
export const maxScopes = 100;

/** Whether a text is the name of a scope. */
export function isScope(text: string): boolean {
  return text.length <= 64 && scopePattern.test(text);
}

/** Whether a scope is in a namespace of Soku's own API. Wildcards do not cover it. */
export function isReservedScope(scope: string): boolean {
  return /^(keys|audit)(:|$)/.test(scope);
}

/**
 * What a key can hold: the name of a scope; `files:*`, which covers all scopes below `files`; or `*`, which covers all
 * scopes except Soku's own. Wildcards also cover scopes that are added later.
 */
export const grantSchema = z
  .string(notAScope)
  .refine(isGrant, 'must be a scope such as files:read, a prefix of scopes such as files:*, or *');

function isGrant(text: string): boolean {
  if (text === '*' || isScope(text)) return true;
  return text.endsWith(':*') && isScope(text.slice(0, -2)) && text.length <= 64 && !isReservedScope(text);
}

/** Whether one of the grants covers a scope. */
export function coversScope(grants: readonly string[], scope: string): boolean {
  return grants.includes(scope) || grants.some((grant) => wildcardCovers(grant, scope));
}

/** Whether everything that a grant covers, now or later, is covered by other grants. */
export function coversGrant(grants: readonly string[], grant: string): boolean {
  // `files:*` is covered by what covers everything below `files`; its star stands for any name there.
  return grants.includes(grant) || grants.some((other) => wildcardCovers(other, grant));
}

function wildcardCovers(grant: string, scope: string): boolean {
  if (grant === '*') return !isReservedScope(scope);
  return grant.endsWith(':*') && !isReservedScope(grant) && scope.startsWith(grant.slice(0, -1));
}
