import type { FastifyInstance } from 'fastify';

/** The time before the end, in which a server still answers and asks everybody to go elsewhere. */
export interface Draining {
  readonly begun: boolean;
  begin(): void;
}

/**
 * From the beginning of the draining on, each answer closes its connection. A load balancer that keeps connections
 * open would otherwise send a request over one in the moment in which the server closes it, and that one is lost.
 */
export function drainable(app: FastifyInstance): Draining {
  let begun = false;
  const begin = () => {
    begun = true;
  };
  app.addHook('preClose', async () => begin());
  app.addHook('onRequest', async (_request, reply) => {
    if (begun) reply.header('connection', 'close');
  });
  return {
    get begun() {
      return begun;
    },
    begin,
  };
}
