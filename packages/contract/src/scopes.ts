import { z } from 'zod';

/** The scopes of Soku's own API. Most keys have none: they call the API that Soku protects, but cannot manage keys. */
export const scopeSchema = z.enum(['keys:read', 'keys:write', 'keys:verify', 'audit:read']);
export type Scope = z.infer<typeof scopeSchema>;

/** A scope of a stored key. It may be unknown here, because a newer version may have written it. */
export const storedScopeSchema = z.string();
