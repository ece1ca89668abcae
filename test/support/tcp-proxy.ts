import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

interface ProxyOptions {
  host: string;
  port: number;
  /** Creates the filter of the bytes from the server; called once per connection. */
  filterToClient?: () => Filter;
}

/** Receives the bytes of one direction and returns those to forward. */
export type Filter = (bytes: Buffer) => Buffer;

/** One direction of all connections, including future ones. */
class Direction {
  delayMs = 0;
  held = false;
  drops = false;
  readonly pipes = new Set<Pipe>();

  /** Delays each byte by `ms`. Bytes in transit keep their time, and the order stays. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** Holds all bytes and ends of connections until `release()`. Nothing is lost. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    for (const pipe of this.pipes) pipe.pass();
  }

  /** Silently drops all bytes, including those in transit, until the proxy's `heal()`. */
  blackhole(): void {
    this.drops = true;
    for (const pipe of this.pipes) pipe.lose();
  }
}

/** Bytes, or `undefined` for the end of the stream. */
interface Piece {
  bytes: Buffer | undefined;
  dueAt: number;
}

/** One direction of one connection. */
class Pipe {
  #dropped = false;
  /** Whether bytes were dropped, so that the rest would be meaningless to the receiver. */
  torn = false;
  readonly #direction: Direction;
  readonly #to: Socket;
  #waiting: Piece[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(direction: Direction, from: Socket, to: Socket, filter: Filter) {
    this.#direction = direction;
    this.#to = to;
    direction.pipes.add(this);
    from.on('data', (bytes: Buffer) => this.#take(filter(bytes)));
    from.once('end', () => this.#take(undefined));
  }

  #take(bytes: Buffer | undefined): void {
    this.#waiting.push({ bytes, dueAt: performance.now() + this.#direction.delayMs });
    if (this.#direction.drops || this.#dropped) this.lose();
    else this.pass();
  }

  /** Drops everything from now on, including what is in transit. */
  dropSilently(): void {
    this.#dropped = true;
    this.lose();
  }

  /** Forwards everything that is due. */
  pass(): void {
    clearTimeout(this.#timer);
    while (!this.#direction.held) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const earlyMs = next.dueAt - performance.now();
      if (earlyMs > 0) {
        this.#timer = setTimeout(() => this.pass(), earlyMs);
        return;
      }
      this.#waiting.shift();
      if (next.bytes === undefined) this.#to.end();
      else this.#to.write(next.bytes);
    }
  }

  lose(): void {
    clearTimeout(this.#timer);
    this.torn ||= this.#waiting.length > 0;
    this.#waiting = [];
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#direction.pipes.delete(this);
  }
}

interface Connection {
  isTorn(): boolean;
  dropSilently(): void;
  destroy(): void;
}

/** A network between clients and a server that can be made to fail. Waiting bytes are in memory. */
export class TcpProxy {
  readonly toServer = new Direction();
  readonly toClient = new Direction();
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #options: ProxyOptions;
  #cut = false;

  private constructor(server: Server, options: ProxyOptions) {
    this.#server = server;
    this.#options = options;
    server.on('connection', (client) => this.#join(client));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: ProxyOptions): Promise<TcpProxy> {
    // Each half of a connection ends independently, as without a proxy.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpProxy(server, options);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  /** Starts a proxy for the server of a URL; `url()` then gives the URL through the proxy. */
  static async before(url: string, options: Pick<ProxyOptions, 'filterToClient'> = {}): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    return TcpProxy.start({ host: hostname, port: Number(port), ...options });
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** Current number of connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** The same URL, through the proxy. */
  url(direct: string): string {
    const url = new URL(direct);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  /** Resets all connections, and each new one, until `heal()`. */
  cut(): void {
    this.#cut = true;
    for (const connection of this.#connections) connection.destroy();
  }

  /** Silently drops both directions, also of new connections, which are accepted, until `heal()`. */
  blackhole(): void {
    this.toServer.blackhole();
    this.toClient.blackhole();
  }

  /**
   * Silently drops everything on the current connections, forever, like a firewall that has lost their state. New ones
   * work.
   */
  dropSilently(): void {
    for (const connection of this.#connections) connection.dropSilently();
  }

  /** Directs new connections to another port of the same host, like an address that moves at a failover. */
  redirect(port: number): void {
    this.#options = { ...this.#options, port };
  }

  /** Ends `cut()` and `blackhole()`. Connections that lost bytes are reset: as in a network, they do not recover. */
  heal(): void {
    this.#cut = false;
    this.toServer.drops = false;
    this.toClient.drops = false;
    for (const connection of this.#connections) if (connection.isTorn()) connection.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    if (this.#cut) {
      client.on('error', () => {});
      reset(client);
      return;
    }
    const { host, port, filterToClient } = this.#options;
    // The socket buffers data until it is connected.
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const pipes = [
      new Pipe(this.toServer, client, server, (bytes) => bytes),
      new Pipe(this.toClient, server, client, filterToClient?.() ?? ((bytes) => bytes)),
    ];
    const connection = {
      isTorn: () => pipes.some((pipe) => pipe.torn),
      dropSilently: () => {
        for (const pipe of pipes) pipe.dropSilently();
      },
      destroy: () => {
        this.#connections.delete(connection);
        for (const pipe of pipes) pipe.close();
        reset(client);
        reset(server);
      },
    };
    this.#connections.add(connection);
    for (const socket of [client, server]) {
      socket.on('error', () => connection.destroy());
    }
    let open = 2;
    for (const socket of [client, server]) {
      socket.once('close', () => {
        open -= 1;
        if (open === 0) connection.destroy();
      });
    }
  }
}

/** Resets a socket where possible: a socket that is shutting down can only be destroyed, or it would stay open. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
