/**
 * Must be imported before any schema: zod compiles schemas with `new Function` unless told otherwise, and even its
 * probe for that is a violation of our content security policy.
 */
import { z } from 'zod';

z.config({ jitless: true });
