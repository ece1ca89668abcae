import { EventEmitter, once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';

/** ms between two health checks of a member, as recommended in docs/operations/load-balancer.md. */
const interval = 500;

/** ms. A server guarantees to lose no request if it is checked at least this often and can respond within this time. */
const checkedWithin = 1000;

/** The response to a request that failed because this process, or the server, did not get that much CPU time. */
export const tooBusy = 'the machine is too busy for a rolling restart';

interface Member {
  url: string;
  ready: boolean;
  /** Whether it was not ready because it had no lease, which a server loses if it gets no CPU time. */
  hasNoLease: boolean;
  /** Monotonic ms at which its last check was sent. */
  checkedAt: number;
}

/**
 * A minimal load balancer: it uses the members that were ready at the last check in turn, keeps connections to them
 * open, and never retries a request.
 */
export class Balancer {
  readonly #server: Server;
  readonly #members: Member[];
  readonly #checks = new EventEmitter();
  readonly #agent = new Agent({ keepAlive: true });
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;

  private constructor(urls: readonly string[]) {
    this.#members = urls.map((url) => ({
      url,
      ready: false,
      hasNoLease: false,
      checkedAt: 0,
    }));
    // Clients keep connections open. One that Node closed after 5 s without a request could meet the next request.
    const options = { keepAliveTimeout: 0 };
    this.#server = createServer(options, (incoming, outgoing) => this.#forward(incoming, outgoing));
  }

  static async start(urls: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(urls);
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    await balancer.#checkMembers();
    balancer.#timer = setInterval(() => void balancer.#checkMembers(), interval);
    return balancer;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string')
      throw new Error('the load balancer does not listen on a port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Resolves when requests are sent to this member. */
  async sendsTo(url: string): Promise<void> {
    while (!this.#members.some((member) => member.url === url && member.ready)) {
      await once(this.#checks, 'check');
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await once(this.#server, 'close');
  }

  async #checkMembers(): Promise<void> {
    await Promise.all(
      this.#members.map(async (member) => {
        const sent = performance.now();
        const response = await fetch(`${member.url}/readyz`).catch(() => undefined);
        const text = await response?.text().catch(() => undefined);
        member.ready = response?.status === 200;
        member.hasNoLease = text?.includes('"no_lease"') === true;
        member.checkedAt = sent;
      }),
    );
    this.#checks.emit('check');
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const ready = this.#members.filter((member) => member.ready);
    this.#turn += 1;
    const member = ready[this.#turn % ready.length];
    if (member === undefined) {
      const noLease = this.#members.some(({ hasNoLease }) => hasNoLease);
      outgoing.writeHead(503).end(noLease ? tooBusy : 'no member is ready');
      return;
    }
    const { checkedAt } = member;
    const { method, headers, url = '/' } = incoming;
    const forwarded = request(`${member.url}${url}`, { method, headers, agent: this.#agent });
    forwarded.once('response', (response) => {
      const { connection, ...fields } = response.headers;
      outgoing.writeHead(response.statusCode ?? 0, fields);
      response.pipe(outgoing);
    });
    forwarded.once('error', (error) => {
      const isLate = performance.now() - checkedAt > interval + checkedWithin;
      outgoing.writeHead(502).end(isLate ? tooBusy : `${member.url}: ${error.message}`);
    });
    incoming.pipe(forwarded);
  }
}
