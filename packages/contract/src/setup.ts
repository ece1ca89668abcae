import { z } from 'zod';
import { emailSchema, passwordSchema } from './accounts.ts';
import { nameSchema } from './names.ts';

/** POST /api/setup: creates the owner, once. It requires the setup code that the first start logged. */
export const setupSchema = z.strictObject({
  code: z.string().min(1, 'must not be empty').max(200),
  name: nameSchema,
  email: emailSchema,
  password: passwordSchema,
});
