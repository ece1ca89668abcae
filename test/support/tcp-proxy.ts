import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

interface ProxyOptions {
  host: string;
  port: number;
  /** What becomes of the bytes of a connection's server; called once for each connection. */
  filterToClient?: () => Filter;
}

/** Gets the bytes of one direction as they come, and returns those that go on. */
export type Filter = (bytes: Buffer) => Buffer;

/** One direction of all connections, those to come as well. */
class Direction {
  delayMs = 0;
  held = false;
  swallows = false;
  readonly pipes = new Set<Pipe>();

  /** Each byte arrives so much later. Those under way keep their time, and none overtakes another. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** Nothing arrives from now on, and nothing is lost: all comes with `release()`, ends of connections as well. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    for (const pipe of this.pipes) pipe.pass();
  }

  /** What is sent from now on, or is under way, never arrives, and nobody is told. Until the proxy's `heal()`. */
  blackhole(): void {
    this.swallows = true;
    for (const pipe of this.pipes) pipe.lose();
  }
}

/** Bytes, or `undefined`: the end of the stream. */
interface Piece {
  bytes: Buffer | undefined;
  dueAt: number;
}

/** One direction of one connection. */
class Pipe {
  /** Whether something was swallowed: what would follow makes no sense to the receiver. */
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
    if (this.#direction.swallows) this.lose();
    else this.pass();
  }

  /** Sends on whatever is due. */
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
  destroy(): void;
}

/** A network between a client and a server that can be made to fail. Bytes that wait are kept in memory. */
export class TcpProxy {
  readonly toServer = new Direction();
  readonly toClient = new Direction();
  readonly #server: Server;
  readonly #options: ProxyOptions;
  readonly #connections = new Set<Connection>();
  #cut = false;

  private constructor(server: Server, options: ProxyOptions) {
    this.#server = server;
    this.#options = options;
    server.on('connection', (client) => this.#join(client));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: ProxyOptions): Promise<TcpProxy> {
    // Each half of a connection ends by itself, as without a proxy.
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpProxy(server, options);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  /** In front of the server that a URL names; `url()` is then the way through the proxy. */
  static async before(url: string, options: Pick<ProxyOptions, 'filterToClient'> = {}): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    return TcpProxy.start({ host: hostname, port: Number(port), ...options });
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** How many connections there are now. */
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

  /** Both directions fall silent, new connections too: they are accepted, and nothing ever comes. Until `heal()`. */
  blackhole(): void {
    this.toServer.blackhole();
    this.toClient.blackhole();
  }

  /** Ends `cut()` and `blackhole()`. Connections that lost bytes are reset: as in a network, they do not recover. */
  heal(): void {
    this.#cut = false;
    this.toServer.swallows = false;
    this.toClient.swallows = false;
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
    // What is written before it is connected is kept by the socket.
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const pipes = [
      new Pipe(this.toServer, client, server, (bytes) => bytes),
      new Pipe(this.toClient, server, client, filterToClient?.() ?? ((bytes) => bytes)),
    ];
    const connection = {
      isTorn: () => pipes.some((pipe) => pipe.torn),
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

/** A reset where the system knows one: a socket that is being shut down can only be closed, and stays open else. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
