import { z } from 'zod';
import { canonicalList, parseBlock } from './address-lists.ts';
import type { AddressBlock } from './addresses.ts';

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
