/** Values of a key's fields, apart from the schemas of requests, which pages load only with their forms. */
import { z } from 'zod';

export const environmentSchema = z.enum(['live', 'test']);

/** Why a key was revoked. */
export const revokeReasonSchema = z.enum(['leaked', 'unused', 'replaced', 'person_left', 'other']);

/** A grant of a stored key. A newer version may have written it, so it may be unknown here. */
export const storedScopeSchema = z.string();
