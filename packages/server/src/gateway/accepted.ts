import { limitText } from '../verification/response-text.ts';
import type { AcceptKey } from '../verification/result.ts';

/** What goes on of a key that was accepted. */
export interface Accepted {
  /** Whose key it is, for the upstream: names and values in turn. */
  identity: readonly string[];
  /** Where it stands with its limit, for the client: lines of header fields, '' when it has none. */
  limit: string;
  refusal?: never;
}

export const accept: AcceptKey<Accepted> = (keys, row, limit) => ({
  identity: [
    ...['x-soku-key-id', keys.keyId(row), 'x-soku-workspace-id', keys.workspaceId(row)],
    ...['x-soku-key-name', keys.encodedName(row), 'x-soku-scopes', keys.scopes(row)],
  ],
  limit: limitText(limit),
});
