/**
 * Must be imported before any schema. By default, zod compiles schemas with `new Function`, and even its check whether
 * that is allowed violates the content security policy.
 */
import { z } from 'zod';

z.config({ jitless: true });
