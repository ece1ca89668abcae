import { z } from 'zod';
import { instantSchema } from './instant.ts';

export const errorSchema = z
  .object({
    error: z.object({
      type: z.string(),
      code: z.string(),
      message: z.string(),
      timestamp: instantSchema,
      requestId: z.string(),
      details: z
        .array(z.object({ path: z.string(), problem: z.string(), keyId: z.string().optional() }))
        .optional()
        .describe('One entry for each refused field; keyId is the key that idempotency_replayed speaks of'),
    }),
  })
  .meta({ id: 'Error' });
export type ErrorBody = z.infer<typeof errorSchema>;
