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
        .describe('One entry per invalid field. With idempotency_replayed, keyId is the key created earlier'),
    }),
  })
  .meta({ id: 'Error' });
export type ErrorBody = z.infer<typeof errorSchema>;
