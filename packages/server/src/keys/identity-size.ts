import { invalidFieldError } from './caller-policy.ts';

/**
 * Maximum size in bytes of the fields that name a key to the API behind a proxy, as header fields. Together with the
 * other fields of a response, they fit into the 4 kB that nginx reserves for it by default.
 */
const maxIdentity = 3072;

interface Identity {
  name: string;
  scopes: readonly string[];
  externalId: string | null;
}

type SentFields = { [Field in keyof Identity]?: unknown };

/**
 * Finds out whether the identity fields of a key are too large together.
 *
 * @param sent the fields of the request; the largest of them is reported
 * @returns the field, and a problem that continues a sentence that starts with it
 */
export function findLargeIdentity(
  { name, scopes, externalId }: Identity,
  sent: SentFields,
): { path: keyof Identity; problem: string } | undefined {
  const sizes = {
    name: encodeURIComponent(name).length,
    scopes: scopes.join(' ').length,
    externalId: encodeURIComponent(externalId ?? '').length,
  };
  const total = sizes.name + sizes.scopes + sizes.externalId;
  if (total <= maxIdentity) return undefined;
  const [path] = (['name', 'scopes', 'externalId'] as const)
    .filter((field) => sent[field] !== undefined)
    .sort((a, b) => sizes[b] - sizes[a]);
  if (path === undefined) return undefined;
  const problem = `is too long: name, scopes and externalId have ${total} bytes together, percent-encoded, and at most ${maxIdentity} are allowed`;
  return { path, problem };
}

/** Rejects a key whose identity fields are too large together. Parameters as above. @throws {RequestError} invalid_request */
export function rejectLargeIdentity(identity: Identity, sent: SentFields): void {
  const found = findLargeIdentity(identity, sent);
  if (found !== undefined) throw invalidFieldError(found.path, found.problem);
}
