import { z } from 'zod';

/** The scopes of Soku's own API. Most keys have none: they call the API that Soku protects and cannot manage keys. */
export const scopeSchema = z.enum(['keys:read', 'keys:write', 'keys:verify', 'audit:read']);
export type Scope = z.infer<typeof scopeSchema>;

/** A scope of a stored key. A newer version may have written it, so it may be unknown here. */
export const storedScopeSchema = z.string();
