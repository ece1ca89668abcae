/** The fields of a key that decide what it may do, and those that the operator stores with it. */
import { z } from 'zod';
import { canonicalList, parseBlock } from './address-lists.ts';
import type { AddressBlock } from './addresses.ts';
import { grantSchema, maxScopes } from './scopes.ts';
import { isPrintable } from './visible-text.ts';

/** Epoch ms. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A time in a request. */
export const futureSchema = z.iso
  .datetime({ offset: true, error: 'must be a date and time such as 2030-01-31T12:00:00Z' })
  // With a time zone offset, the instant can fall in the year 10000, which the response format cannot express.
  .refine((text) => !(Date.parse(text) > lastInstant), 'must not be later than the year 9999');

export const grantsSchema = z.array(grantSchema).max(maxScopes);

export const environmentSchema = z.enum(['live', 'test']);
export type Environment = z.infer<typeof environmentSchema>;

/** Maximum number of addresses and blocks of a key. */
export const maxAllowedAddresses = 50;

/** IP addresses and CIDR blocks. The output is canonical, without duplicates, and sorted. */
export const allowedAddressesSchema = z
  .array(z.string())
  .max(maxAllowedAddresses)
  .transform((texts, context) => {
    const blocks: AddressBlock[] = [];
    for (const [i, text] of texts.entries()) {
      const { block, problem } = parseBlock(text);
      if (block !== undefined) blocks.push(block);
      else context.addIssue({ code: 'custom', path: [i], message: problem });
    }
    return canonicalList(blocks);
  })
  // The transformation has no JSON schema.
  .meta({ type: 'array', items: { type: 'string' }, maxItems: maxAllowedAddresses });

const printable = 'must not contain control or invisible characters';

export const externalIdSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(255, 'must have at most 255 characters')
  .refine(isPrintable, printable);

/** In bytes of JSON. */
const maxMetadata = 2048;

export const metadataSchema = z
  .record(
    z
      .string()
      .min(1, 'must not be empty')
      .max(40, 'must have at most 40 characters')
      .refine(isPrintable, printable)
      // An object cannot hold it as an ordinary property.
      .refine((name) => name !== '__proto__', 'must have another name'),
    z.string().max(500, 'must have at most 500 characters').refine(isStorable, printable),
  )
  .refine((entries) => Object.keys(entries).length <= 50, 'must have at most 50 entries')
  .refine(
    (entries) => new TextEncoder().encode(JSON.stringify(entries)).length <= maxMetadata,
    `must have at most ${maxMetadata} bytes as JSON`,
  );
export type Metadata = z.infer<typeof metadataSchema>;

/** Values may have several lines. */
function isStorable(text: string): boolean {
  return isPrintable(text.replaceAll(/[\n\t]/g, ''));
}

/** Why a key was revoked. */
export const revokeReasonSchema = z.enum(['leaked', 'unused', 'replaced', 'person_left', 'other']);
export type RevokeReason = z.infer<typeof revokeReasonSchema>;

export const secretIdSchema = z.string().regex(/^sec_[0-9a-hjkmnp-tv-z]{26}$/, 'must be the id of a secret');
