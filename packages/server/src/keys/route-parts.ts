import { keyIdSchema } from '@soku/contract/keys';
import { z } from 'zod';
import { idempotencyHeader, workspaceHeader } from '../http/caller.ts';

// What the schemas of the key endpoints share.

export const tags = ['API keys'];
export const security = [{ key: [] }, { session: [] }];
export const idParams = z.object({ id: keyIdSchema });
export const createHeaders = workspaceHeader.extend(idempotencyHeader);

/** Errors in addition to those of every endpoint: a missing scope, or an unknown workspace in X-Soku-Workspace. */
export const readErrors = ['insufficient_scope', 'not_found', 'verification_unavailable'] as const;
export const changeErrors = [
  ...readErrors,
  'cross_origin',
  'payload_too_large',
  'unsupported_media_type',
] as const;
