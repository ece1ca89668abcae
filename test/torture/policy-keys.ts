import { createdKeySchema, type Key } from '@soku/contract/keys';
import { KeyHistory, SecretHistory } from './checker.ts';
import type { Clients, NodeClients, UsedSecret } from './clients.ts';
import { testScopes } from './policy-changes.ts';

/** A secret of such a key. */
export interface PolicySecret extends UsedSecret {
  secretId: string;
}

/** A key whose policy and secrets change. One client at a time changes it. */
export interface PolicyKey {
  id: string;
  history: KeyHistory;
  /** Oldest first. */
  secrets: PolicySecret[];
  /** Number of rotations that were sent. */
  rotations: number;
}

/** The newest secret in a response. */
export function newestOf({ secrets }: Key): Key['secrets'][number] {
  const [newest] = secrets;
  if (newest === undefined) throw new Error('every key has a secret');
  return newest;
}

/** Creates a key without a rate limit. @returns undefined if the call failed */
export async function createPolicyKey(clients: Clients, by: NodeClients): Promise<PolicyKey | undefined> {
  const body = JSON.stringify({ name: 'policy', scopes: testScopes, rateLimit: 'off' });
  const call = { method: 'POST', path: '/v1/api-keys', body, by: 'owner' } as const;
  const roundTrip = await clients.call(by, call);
  if (!clients.succeeded(201, roundTrip, 'a creation', clients.outages)) return undefined;
  clients.counts.created += 1;
  const { apiKey, key } = createdKeySchema.parse(JSON.parse(roundTrip.response.body));
  const history = new KeyHistory(testScopes);
  const secret = {
    id: key.id,
    apiKey,
    secretId: newestOf(key).id,
    history: new SecretHistory(history, roundTrip.receivedAt),
  };
  return { id: key.id, history, secrets: [secret], rotations: 0 };
}
