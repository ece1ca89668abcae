/** The list of nodes, for operators. */
import { z } from 'zod';

const count = z.int().min(0);

const nodeSchema = z
  .object({
    id: z.string().describe('Random; changes with each start'),
    name: z.string().describe('Host name and process id, such as `keys-1:4711`'),
    self: z.boolean().describe('Whether this node handled the request'),
    state: z
      .enum(['ready', 'silent'])
      .describe('silent: no heartbeat for longer than a lease, so other nodes no longer wait for it'),
    lag: count.describe('Changes that the node has not applied yet'),
    silentMs: count.describe('Time since its last heartbeat, in ms'),
    lease: z
      .object({ remainingMs: count })
      .nullable()
      .describe('How long it may still serve from its cache; null: known only to that node, or not needed'),
  })
  .meta({ id: 'Node' });
export type NodeEntry = z.infer<typeof nodeSchema>;

export const nodeListSchema = z.object({ data: z.array(nodeSchema) }).meta({ id: 'NodeList' });

/** GET /api/servers: how many there are, for people, who may not read the list. */
export const serverCountsSchema = z.object({
  total: z.int().min(1),
  ready: z.int().min(0).describe('Those that apply every change before the call that made it returns'),
});
export type ServerCounts = z.infer<typeof serverCountsSchema>;
