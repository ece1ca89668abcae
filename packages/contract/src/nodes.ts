/** The list of nodes, for operators. */
import { z } from 'zod';

const count = z.int().min(0);

const nodeSchema = z
  .object({
    id: z.string().describe('Random, another one after each start'),
    name: z.string().describe('Host and process: `keys-1:4711`'),
    self: z.boolean().describe('Whether it is the one that answers this call'),
    state: z
      .enum(['ready', 'silent'])
      .describe('silent: not heard of for longer than a lease, so nobody waits for it any more'),
    lag: count.describe('Changes that it has not applied yet'),
    silentMs: count.describe('How long ago it was heard of, in ms'),
    lease: z
      .object({ remainingMs: count })
      .nullable()
      .describe('For how long it may answer from memory; null: only the node itself knows, or it needs none'),
  })
  .meta({ id: 'Node' });
export type NodeEntry = z.infer<typeof nodeSchema>;

export const nodeListSchema = z.object({ data: z.array(nodeSchema) }).meta({ id: 'NodeList' });
