import type { VerifiedKey } from '../../packages/server/src/verification/stored-secret.ts';

/** A key without any restriction. */
export const unrestrictedKey: VerifiedKey = {
  keyId: 'key_1',
  workspaceId: 'ws_1',
  name: 'one',
  scopes: [],
  expiresAt: Number.POSITIVE_INFINITY,
  retiresAt: Number.POSITIVE_INFINITY,
  disabled: false,
  environment: 'live',
  allowedAddresses: '',
  rateLimit: null,
  externalId: null,
  metadata: null,
  startsGrace: false,
};
