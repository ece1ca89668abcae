/** The import of keys that another system has issued, by their hashes. */

import { z } from 'zod';
import { allowedAddressesSchema } from './allowed-addresses.ts';
import { externalIdSchema, grantsSchema, requestTimeSchema } from './key-policy.ts';
import { environmentSchema } from './key-values.ts';
import { metadataSchema } from './metadata.ts';
import { nameSchema } from './names.ts';
import { rateLimitSchema } from './rate-limits.ts';

/** Maximum number of keys in one call. */
export const maxImportedKeys = 10_000;

/** Maximum number of problems in a response. A file with a wrong column has one for each row. */
export const maxImportProblems = 1000;

function previewPart(maxLength: number) {
  return z
    .string()
    .max(maxLength, `must have at most ${maxLength} characters`)
    .regex(/^[!-~]*$/, 'must contain only visible ASCII characters')
    .nullish();
}

/** A key to import. null means the same as a missing field. */
export const importKeySchema = z
  .strictObject({
    name: nameSchema,
    hash: z
      .string()
      .regex(
        /^(?:[0-9a-fA-F]{64}|[0-9A-Za-z_+/-]{43}=?)$/,
        'must be a SHA-256 of 64 hexadecimal digits or 43 characters of base64url',
      )
      .describe('SHA-256 of the whole key, including any prefix, in hexadecimal or base64url'),
    previewStart: previewPart(12).describe('The first characters of the key, for the preview'),
    previewEnd: previewPart(4).describe('The last characters of the key, for the preview'),
    expiresAt: requestTimeSchema
      .nullish()
      .describe(
        'The key is rejected from this time on. Default: never, or the latest date that the workspace allows',
      ),
    scopes: grantsSchema.nullish().describe('Default: none'),
    environment: environmentSchema.nullish().describe('Default: live'),
    allowedAddresses: allowedAddressesSchema
      .nullish()
      .describe('IP addresses and CIDR blocks from which the key is accepted. Default: all'),
    rateLimit: rateLimitSchema.nullish().describe('Requests per minute. Default: the limit of the workspace'),
    externalId: externalIdSchema
      .nullish()
      .describe('Your own id for the customer or system that has the key'),
    metadata: metadataSchema.nullish().describe('Your own data'),
    createdAt: requestTimeSchema
      .nullish()
      .describe('When the other system created the key, which decides its place in lists. Default: now'),
  })
  .meta({ id: 'ImportKey' });
export type ImportKey = z.infer<typeof importKeySchema>;

/** What is wrong with a field of a key. */
export interface ImportFieldProblem {
  /** Such as `hash` or `scopes.0`. */
  path: string;
  /** Continues a sentence that starts with the path. */
  problem: string;
}

/** Checks one key of an import. */
export function checkImportKey(
  value: unknown,
): { key: ImportKey; problems?: never } | { key?: never; problems: ImportFieldProblem[] } {
  const parsed = importKeySchema.safeParse(value);
  return parsed.success ? { key: parsed.data } : { problems: parsed.error.issues.flatMap(problemsOf) };
}

/** The name of an unknown field is repeated only if it is short: it may be a key, or as long as the body. */
const shownName = /^[A-Za-z]\w{0,19}$/;

function problemsOf(issue: z.core.$ZodIssue): ImportFieldProblem[] {
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys.find((key) => shownName.test(key));
    return [{ path: name ?? 'key', problem: name ? 'is not a known field' : 'has an unknown field' }];
  }
  const [field = 'key', ...rest] = issue.path.map(String);
  const path = [field, ...rest.filter((part) => /^\d{1,3}$/.test(part) || shownName.test(part))].join('.');
  // zod's own message only names the expected type.
  if (issue.code === 'invalid_type' && issue.message.endsWith('undefined'))
    return [{ path, problem: 'is missing' }];
  return [
    { path, problem: issue.path.length === 0 ? 'must be an object with the fields of a key' : issue.message },
  ];
}

/**
 * Only the number of the keys is checked here. `checkImportKey` checks each of them, so that a server can do other work in
 * between, and all problems are reported.
 */
const keysField = z
  .unknown()
  .refine(
    (value) => Array.isArray(value) && value.length > 0 && value.length <= maxImportedKeys,
    `must be a list of 1 to ${maxImportedKeys} keys`,
  )
  .meta({
    type: 'array',
    minItems: 1,
    maxItems: maxImportedKeys,
    items: { $ref: '#/components/schemas/ImportKey' },
  })
  .transform((value): readonly unknown[] => (Array.isArray(value) ? value : []));

export const importKeysSchema = z.strictObject({
  keys: keysField,
  dryRun: z.boolean().default(false).describe('Only checks the keys. Nothing is written'),
});

export const importResultSchema = z
  .object({
    imported: z.int().min(0).describe('How many keys were added; with `dryRun`, how many would be'),
    unchanged: z.int().min(0).describe('How many keys the workspace already had'),
    problems: z
      .array(
        z.object({
          index: z.int().min(0).describe('The position of the key in `keys`'),
          path: z.string().describe('The field, such as `hash` or `scopes.0`'),
          problem: z.string().describe('`hash_unavailable` if the hash is in use elsewhere, or was revoked'),
        }),
      )
      .describe(`If there is a problem, nothing is imported. At most ${maxImportProblems} are listed`),
  })
  .meta({ id: 'ImportResult' });
export type ImportResult = z.infer<typeof importResultSchema>;
