/** The fields of a key that decide what it may do, and those that the operator stores with it. */

import { z } from 'zod';
import type { environmentSchema, revokeReasonSchema } from './key-values.ts';
import { grantSchema, maxScopes } from './scopes.ts';
import { isPrintable } from './visible-text.ts';

/** Epoch ms. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A time in a request. */
export const requestTimeSchema = z.iso
  .datetime({ offset: true, error: 'must be a date and time such as 2030-01-31T12:00:00Z' })
  // With a time zone offset, the instant can fall in the year 10000, which the response format cannot express.
  .refine((text) => !(Date.parse(text) > lastInstant), 'must not be later than the year 9999');

export const grantsSchema = z.array(grantSchema).max(maxScopes);

export type Environment = z.infer<typeof environmentSchema>;

const printable = 'must not contain control or invisible characters';

export const externalIdSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(255, 'must have at most 255 characters')
  .refine(isPrintable, printable);

/** Why a key was revoked. */
export type RevokeReason = z.infer<typeof revokeReasonSchema>;

export const secretIdSchema = z.string().regex(/^sec_[0-9a-hjkmnp-tv-z]{26}$/, 'must be the id of a secret');
