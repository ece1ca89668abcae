/** The URL parameters of each page. Invalid values are dropped, because people also type URLs by hand. */

import { environmentSchema } from '@soku/contract/key-values';
import {
  defaultOrders,
  keyIdSchema,
  keySortSchema,
  sortOrderSchema,
  statusFilterSchema,
} from '@soku/contract/keys';
import { z } from 'zod';
import type { ListFilter } from '../api/keys.ts';

/** A value that is too long is dropped. */
const optionalText = (maxLength: number) => z.string().max(maxLength).optional().catch(undefined);

export const loginSearch = z.object({ next: optionalText(2000) });

export const setupSearch = z.object({ code: optionalText(200) });

export const accountSearch = z.object({
  panel: z.enum(['password', 'end-others', 'end-all']).optional().catch(undefined),
});

/** Short forms of the API's schemas, which would take 2 kB of code. The API checks the values as well. */
const days = z.coerce.number().int().min(1).max(3650).optional().catch(undefined);
const id = z
  .string()
  .regex(/^[!-~]{1,64}$/)
  .optional()
  .catch(undefined);

/** The filters have the names and values of the API. */
export const apiKeysSearch = z.object({
  status: statusFilterSchema.exclude(['active']).optional().catch(undefined),
  q: optionalText(100),
  sort: keySortSchema.optional().catch(undefined),
  order: sortOrderSchema.optional().catch(undefined),
  unusedDays: days,
  expiresWithinDays: days,
  createdBy: id,
  scope: id,
  environment: environmentSchema.optional().catch(undefined),
  externalId: optionalText(255),
  rotating: z.literal('true').optional().catch(undefined),
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional()
    .catch(undefined),
  panel: z
    .enum([
      'generate',
      'rename',
      'rotate',
      'disable',
      'revoke',
      'revoke-selected',
      'revoke-all',
      'limit',
      'policies',
    ])
    .optional()
    .catch(undefined),
  key: keyIdSchema.optional().catch(undefined),
});
export type ApiKeysSearch = z.infer<typeof apiKeysSearch>;

/** A search for a key by its hash finds the key whatever its status. */
export function toListFilter({ panel: _panel, key: _key, ...search }: ApiKeysSearch): ListFilter {
  const { sort = 'created', order = defaultOrders[sort] } = search;
  if (search.hash !== undefined) return { status: 'all', q: '', hash: search.hash, sort, order };
  return { ...search, status: search.status ?? 'active', q: search.q ?? '', hash: '', sort, order };
}

const keyTabSchema = z.enum(['overview', 'access', 'secrets', 'activity']);
export type KeyTab = z.infer<typeof keyTabSchema>;

/** The properties that are edited in place. */
const accessPanelSchema = z.enum(['limit', 'scopes', 'addresses', 'expiry', 'external-id', 'metadata']);

/** 24 hours by default. */
const usageRange = z.enum(['7d', '30d', '90d']).optional().catch(undefined);

export const overviewSearch = z.object({ range: usageRange });

export const keySearch = z.object({
  tab: keyTabSchema.exclude(['overview']).optional().catch(undefined),
  panel: z
    .enum(['rename', 'rotate', 'disable', 'revoke', 'retire', ...accessPanelSchema.options])
    .optional()
    .catch(undefined),
  /** The secret to retire. */
  secret: optionalText(30),
  range: usageRange,
});

export type KeySearch = z.infer<typeof keySearch>;

/** The tab that a panel belongs to, if it is edited in place. */
export function tabOfPanel(panel: KeySearch['panel']): KeySearch['tab'] {
  return accessPanelSchema.safeParse(panel).success ? 'access' : undefined;
}

/** `key` is the name of a scope. */
export const scopesSearch = z.object({
  panel: z.enum(['add', 'edit', 'remove']).optional().catch(undefined),
  key: optionalText(64),
});

/** `key` is the id of a key. The page checks the kind with the schema of the API, so that the router need not load it. */
export const hygieneSearch = z.object({
  kind: optionalText(30),
  panel: z.enum(['rotate', 'disable', 'revoke', 'policies']).optional().catch(undefined),
  key: keyIdSchema.optional().catch(undefined),
});

/** The panel `add` is on the list of webhooks. The filter and the other panels are on the page of a webhook. */
export const webhooksSearch = z.object({
  status: z.literal('failed').optional().catch(undefined),
  panel: z.enum(['add', 'edit', 'disable', 'rotate', 'remove']).optional().catch(undefined),
});

/** The page validates the other values with the schemas of the audit log, so that the router need not load them. */
export const auditSearch = z.object({
  action: optionalText(50),
  actor: optionalText(64),
  key: keyIdSchema.optional().catch(undefined),
  range: z.enum(['24h', '7d', '30d', 'custom']).optional().catch(undefined),
  since: optionalText(40),
  until: optionalText(40),
});
export type AuditSearch = z.infer<typeof auditSearch>;
