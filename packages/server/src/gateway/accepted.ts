import { formatLimitFields } from '../verification/response-text.ts';
import type { AcceptKey } from '../verification/result.ts';

/** What the gateway sends on about an accepted key. */
export interface AcceptedRequest {
  /** Identity fields for the upstream: alternating names and values. */
  identity: readonly string[];
  /** Rate-limit fields for the client: lines of header fields, '' if the key has no limit. */
  limit: string;
  problem?: never;
}

export const acceptRequest: AcceptKey<AcceptedRequest> = (keys, row, limit) => ({
  identity: [
    ...['x-soku-key-id', keys.keyId(row), 'x-soku-workspace-id', keys.workspaceId(row)],
    ...['x-soku-key-name', keys.texts.encodedName(row), 'x-soku-scopes', keys.scopes(row)],
    ...['x-soku-environment', keys.details.environment(row)],
    ...['x-soku-external-id', encodeURIComponent(keys.details.externalId(row))],
  ],
  limit: formatLimitFields(limit),
});
