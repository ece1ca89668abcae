import { invalid } from './caller-policy.ts';

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

/**
 * Rejects a key whose identity fields are too large together.
 *
 * @param sent the fields of the request; the largest of them is reported
 * @throws {RequestError} invalid_request
 */
export function rejectLargeIdentity(
  { name, scopes, externalId }: Identity,
  sent: { name?: unknown; scopes?: unknown; externalId?: unknown },
): void {
  const sizes = {
    name: encodeURIComponent(name).length,
    scopes: scopes.join(' ').length,
    externalId: encodeURIComponent(externalId ?? '').length,
  };
  const total = sizes.name + sizes.scopes + sizes.externalId;
  if (total <= maxIdentity) return;
  const [largest] = (['name', 'scopes', 'externalId'] as const)
    .filter((field) => sent[field] !== undefined)
    .sort((a, b) => sizes[b] - sizes[a]);
  if (largest === undefined) return;
  throw invalid(
    largest,
    `is too long: name, scopes and externalId have ${total} bytes together, percent-encoded, and at most ${maxIdentity} are allowed`,
  );
}
