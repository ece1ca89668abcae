import { Agent, request } from 'node:http';
import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema } from '@soku/contract/keys';
import { HttpSocket } from '../support/http-socket.ts';
import { bearer } from '../support/person.ts';
import type { Operation } from './history.ts';

interface RaceKey {
  id: string;
  apiKey: string;
}

/** One way to send a request on a connection that stays open. */
type Send = (
  method: string,
  path: string,
  apiKey: string,
  body?: string,
) => Promise<{ status: number; body: string }>;

/** Calls that a key with the scope keys:read is good for: each asks the verifier in its own way. */
const uses = ['/v1/verify', '/v1/me', '/v1/verify', '/v1/api-keys?limit=1', '/v1/verify'];

/** How many requests each raw connection has under way at once. */
const pipelined = 2;

/** Creates, uses and revokes keys over many connections at once, and writes everything down. */
export class Race {
  readonly history: Operation[] = [];
  readonly #url: string;
  /** A key with all scopes, for what has to be managed. */
  readonly #manager: string;
  /** Keys that requests are made with all the time, the one under test among them. */
  readonly #bystanders: RaceKey[] = [];
  #current: RaceKey | undefined;
  #usesOfCurrent = 0;
  #usedEnough: () => void = () => undefined;
  readonly #agents: Agent[] = [];
  readonly #sockets: HttpSocket[] = [];
  readonly #lanes: Send[] = [];
  readonly #manage: Send;
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  constructor(url: string, manager: string) {
    this.#url = url;
    this.#manager = manager;
    this.#manage = this.#keepAliveLane();
  }

  /** Begins the traffic: two keep-alive connections and two with pipelined requests. */
  async start(bystanders: number): Promise<void> {
    for (let i = 0; i < bystanders; i++) this.#bystanders.push(await this.create());
    for (let i = 0; i < 2; i++) this.#run(this.#keepAliveLane(), 1);
    for (let i = 0; i < 2; i++) this.#run(await this.#pipeliningLane(), pipelined);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    for (const agent of this.#agents) agent.destroy();
    for (const socket of this.#sockets) socket.close();
  }

  async create(): Promise<RaceKey> {
    const sentAt = performance.now();
    const wish = JSON.stringify({ name: 'race', scopes: ['keys:read'] });
    const answer = await this.#manage('POST', '/v1/api-keys', this.#manager, wish);
    const answeredAt = performance.now();
    if (answer.status !== 201) throw new Error(`creating was answered ${answer.status}: ${answer.body}`);
    const { apiKey, key } = createdKeySchema.parse(JSON.parse(answer.body));
    this.history.push({ kind: 'create', key: key.id, sentAt, answeredAt });
    return { id: key.id, apiKey };
  }

  /** Turns half of the traffic to a key, and waits until it was used a number of times. */
  async useMuch(key: RaceKey, times: number): Promise<void> {
    this.#current = key;
    this.#usesOfCurrent = times;
    const enough = new Promise<void>((resolve) => {
      this.#usedEnough = resolve;
    });
    // A connection that fails ends the wait with its error.
    await Promise.race([enough, ...this.#running]);
  }

  async revoke(key: RaceKey): Promise<void> {
    const sentAt = performance.now();
    const answer = await this.#manage('POST', `/v1/api-keys/${key.id}/revoke`, this.#manager);
    const answeredAt = performance.now();
    if (answer.status !== 200) throw new Error(`revoking was answered ${answer.status}: ${answer.body}`);
    this.history.push({ kind: 'revoke', key: key.id, sentAt, answeredAt });
  }

  async rename(key: RaceKey, name: string): Promise<void> {
    const send = this.#lanes[0] ?? this.#manage;
    const answer = await send('PATCH', `/v1/api-keys/${key.id}`, this.#manager, JSON.stringify({ name }));
    if (answer.status !== 200) throw new Error(`renaming was answered ${answer.status}: ${answer.body}`);
  }

  /** Uses a key on every connection at once, behind whatever is under way there. */
  async probe(key: RaceKey): Promise<(string | null)[]> {
    return Promise.all(this.#lanes.map((send, i) => this.#use(send, uses[i % uses.length] ?? '', key)));
  }

  #run(send: Send, loops: number): void {
    this.#lanes.push(send);
    for (let i = 0; i < loops; i++) this.#running.push(this.#hammer(send, i));
  }

  async #hammer(send: Send, offset: number): Promise<void> {
    for (let i = offset; !this.#stopped; i++) {
      const key = i % 2 === 0 ? this.#current : undefined;
      const other = this.#bystanders[i % this.#bystanders.length];
      const chosen = key ?? other;
      if (chosen === undefined) throw new Error('start() makes bystanders');
      await this.#use(send, uses[i % uses.length] ?? '', chosen);
      if (chosen === this.#current && --this.#usesOfCurrent === 0) this.#usedEnough();
    }
  }

  async #use(send: Send, path: string, key: RaceKey): Promise<string | null> {
    const sentAt = performance.now();
    const answer = await send('GET', path, key.apiKey);
    const answeredAt = performance.now();
    const refused = answer.status < 300 ? null : errorSchema.parse(JSON.parse(answer.body)).error.code;
    this.history.push({ kind: 'use', key: key.id, sentAt, answeredAt, refused });
    return refused;
  }

  #keepAliveLane(): Send {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#agents.push(agent);
    return (method, path, apiKey, body) => {
      const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
      const headers = {
        ...bearer(apiKey),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const sent = request(`${this.#url}${path}`, { agent, method, headers }, async (response) => {
        const text = await response.setEncoding('utf8').reduce((all: string, part: string) => all + part, '');
        resolve({ status: response.statusCode ?? 0, body: text });
      });
      sent.once('error', reject).end(body);
      return promise;
    };
  }

  async #pipeliningLane(): Promise<Send> {
    const socket = await HttpSocket.open(this.#url);
    this.#sockets.push(socket);
    return async (method, path, apiKey, body = '') => {
      const fields = `Host: localhost\r\nAuthorization: Bearer ${apiKey}\r\nContent-Length: ${Buffer.byteLength(body)}`;
      return socket.send(`${method} ${path} HTTP/1.1\r\n${fields}\r\n\r\n${body}`);
    };
  }
}
