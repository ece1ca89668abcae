import { z } from 'zod';

/** Scopes that Soku itself understands. An ordinary key has none: it opens the API but manages nothing. */
export const scopeSchema = z.enum(['keys:read', 'keys:write', 'keys:verify', 'audit:read']);
export type Scope = z.infer<typeof scopeSchema>;

/** A scope as a key has it: also one that a newer version has written and this one does not know. */
export const storedScopeSchema = z.string();
