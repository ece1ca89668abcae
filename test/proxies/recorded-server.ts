import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** A request as received. */
export interface RecordedRequest {
  method: string;
  url: string;
  /** In order, with the original spelling of names. */
  fields: [name: string, value: string][];
  body: Buffer;
}

interface Reply {
  status: number;
  fields?: Record<string, string>;
  body?: string;
}

/** A small real server that records its requests: the API behind a proxy, or a stand-in for Soku. */
export class RecordedServer {
  readonly received: RecordedRequest[] = [];
  /** Creates the response. */
  respond: (request: RecordedRequest) => Reply = () => ({ status: 200, body: 'done\n' });
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(): Promise<RecordedServer> {
    const server = createServer().listen(0, '127.0.0.1');
    server.unref();
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    const recorded = new RecordedServer(server, address.port);
    server.on('request', async (request, response) => {
      const { method = '', url = '', rawHeaders } = request;
      const fields = rawHeaders.flatMap((name, i): [string, string][] =>
        i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? '']] : [],
      );
      const received = { method, url, fields, body: await buffer(request) };
      recorded.received.push(received);
      const reply = recorded.respond(received);
      response.writeHead(reply.status, reply.fields).end(reply.body);
    });
    return recorded;
  }

  /** The last request. */
  get last(): RecordedRequest {
    const last = this.received.at(-1);
    if (last === undefined) throw new Error('no request was received');
    return last;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** The values of a field, with a case-insensitive name. */
export function valuesOf(request: RecordedRequest, name: string): string[] {
  return request.fields.filter(([field]) => field.toLowerCase() === name).map(([, value]) => value);
}
