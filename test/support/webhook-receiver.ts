/** A program that receives webhooks. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { eventually } from './contract.ts';

const headersSchema = z.looseObject({
  'webhook-id': z.string(),
  'webhook-timestamp': z.string(),
  'webhook-signature': z.string(),
});

/** The body of a request. */
const payloadSchema = z.strictObject({
  type: z.string(),
  timestamp: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
});

export interface ReceivedRequest {
  path: string;
  id: string;
  headers: z.infer<typeof headersSchema>;
  body: string;
  payload: z.infer<typeof payloadSchema>;
}

type Respond = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>;

const accept: Respond = (_request, response) => {
  response.writeHead(204).end();
};

/** Records the requests that it receives, on a port of 127.0.0.1. */
export class WebhookReceiver {
  readonly received: ReceivedRequest[] = [];
  /** What it does with a request. */
  respond: Respond = accept;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param port default: a free one */
  static async start(port = 0): Promise<WebhookReceiver> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new WebhookReceiver(server);
    server.on('request', (request, response) => void receiver.#receive(request, response));
    return receiver;
  }

  /** Its URL, without a slash at the end. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Resolves with the requests to a path when there are this many. */
  async whenReceived(path: string, count: number): Promise<ReceivedRequest[]> {
    return eventually(
      async () => this.received.filter((request) => request.path === path),
      ({ length }) => length >= count,
    );
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const headers = headersSchema.parse(request.headers);
    const payload = payloadSchema.parse(JSON.parse(body));
    const received = { path: request.url ?? '', id: headers['webhook-id'], headers, body, payload };
    this.received.push(received);
    await this.respond(received, response);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** @returns the payload as the package of Standard Webhooks verifies it, which throws if it is not authentic */
export function verifyWebhook(secret: string, { body, headers }: ReceivedRequest): unknown {
  return new Webhook(secret).verify(body, headers);
}
