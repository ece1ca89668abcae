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
        .describe(
          'One entry per invalid field. `keyId`: with idempotency_replayed, the key that the earlier call created or rotated; with not_found, a key that does not exist',
        ),
    }),
  })
  .meta({ id: 'Error' });
export type ErrorBody = z.infer<typeof errorSchema>;
