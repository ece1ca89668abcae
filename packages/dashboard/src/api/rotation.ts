/** Calls that replace and retire the secrets of a key. */
import { type CreatedKey, createdKeySchema, type Key, keySchema } from '@soku/contract/keys';
import type { RotateKey } from '@soku/contract/rotation';
import { callApi } from './client.ts';

/** The response contains the full key. Keep it in the state of one component, and never in a cache. */
export function rotateKey(id: string, rotation: RotateKey, idempotencyKey: string): Promise<CreatedKey> {
  return callApi(`/v1/api-keys/${encodeURIComponent(id)}/rotate`, {
    method: 'POST',
    body: rotation,
    headers: { 'idempotency-key': idempotencyKey },
    schema: createdKeySchema,
  });
}

/** Resolves once no server accepts the secret. */
export function retireSecret(id: string, secretId: string): Promise<Key> {
  return callApi(`/v1/api-keys/${encodeURIComponent(id)}/secrets/${encodeURIComponent(secretId)}/retire`, {
    method: 'POST',
    body: {},
    schema: keySchema,
  });
}
