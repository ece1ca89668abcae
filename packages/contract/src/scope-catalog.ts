/** Requests and responses of the scope endpoints. */
import { z } from 'zod';
import { builtInScopeDescriptions, builtInScopeSchema, isReservedScope, scopeSchema } from './scopes.ts';
import { isPrintable } from './visible-text.ts';

/** Maximum number of scopes in the catalog of a workspace. */
export const maxCatalogScopes = 200;

/** In characters. */
export const maxScopeDescriptionLength = 200;

export const catalogScopeSchema = z
  .object({
    name: z.string(),
    description: z.string().describe('Empty if there is none'),
    builtIn: z.boolean().describe('Whether it is a scope of this API, which every workspace has'),
  })
  .meta({ id: 'Scope' });
export type CatalogScope = z.infer<typeof catalogScopeSchema>;

/** The built-in scopes, which every workspace has. */
export const builtInScopes: readonly CatalogScope[] = builtInScopeSchema.options.map((name) => ({
  name,
  description: builtInScopeDescriptions[name],
  builtIn: true,
}));

export const scopeCatalogSchema = z
  .object({
    data: z
      .array(catalogScopeSchema)
      .describe('The scopes of the workspace, sorted by name, and then the built-in ones'),
  })
  .meta({ id: 'ScopeCatalog' });
export type ScopeCatalog = z.infer<typeof scopeCatalogSchema>;

const changedScopeSchema = z.strictObject({
  name: scopeSchema.refine(
    (name) => !isReservedScope(name),
    'must not be in the namespaces keys and audit, which are reserved for built-in scopes',
  ),
  description: z
    .string()
    .trim()
    .refine(
      (text) => [...text].length <= maxScopeDescriptionLength,
      `must have at most ${maxScopeDescriptionLength} characters`,
    )
    .refine(isPrintable, 'must not contain control or invisible characters')
    .default(''),
});

export const changeScopesSchema = z
  .strictObject({
    scopes: z
      .array(changedScopeSchema)
      .max(maxCatalogScopes, `must have at most ${maxCatalogScopes} scopes`)
      .superRefine(rejectRepeated)
      .describe('All scopes of the workspace, without the built-in ones'),
  })
  .meta({ id: 'ChangeScopes' });
export type ChangeScopes = z.output<typeof changeScopesSchema>;

function rejectRepeated(scopes: readonly { name: string }[], context: z.RefinementCtx): void {
  const names = new Set<string>();
  for (const [i, { name }] of scopes.entries()) {
    if (names.has(name)) context.addIssue({ code: 'custom', path: [i, 'name'], message: 'is duplicated' });
    names.add(name);
  }
}
