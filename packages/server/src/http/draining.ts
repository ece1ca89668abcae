import type { FastifyInstance } from 'fastify';

/** The phase before a shutdown, in which a server still responds but makes clients reconnect elsewhere. */
export interface Draining {
  readonly begun: boolean;
  begin(): void;
}

/**
 * Makes each response close its connection once draining begins. A load balancer that keeps connections open could
 * otherwise send a request at the moment in which the server closes the connection, and the request would be lost.
 */
export function addDraining(app: FastifyInstance): Draining {
  let begun = false;
  const begin = () => {
    begun = true;
  };
  app.addHook('preClose', async () => begin());
  app.addHook('onSend', async (_request, reply) => {
    if (begun) reply.header('connection', 'close');
  });
  return {
    get begun() {
      return begun;
    },
    begin,
  };
}
