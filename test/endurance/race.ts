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

type Begin = Extract<Operation, { kind: 'change' }>['begin'];

/** Sends a request on a persistent connection. */
type Send = (
  method: string,
  path: string,
  apiKey: string,
  body?: string,
) => Promise<{ status: number; body: string }>;

/** The call that requires keys:read. */
const listPath = '/v1/api-keys?limit=1';

/** Calls that a key with the scope keys:read may make. They reach the verifier in different ways. */
const usePaths = ['/v1/verify', '/v1/me', '/v1/verify', listPath, '/v1/verify'];

/** Number of concurrent requests on each raw connection. */
const pipelined = 2;

/** Creates, uses and revokes keys over several connections at once, and records every operation. */
export class Race {
  readonly history: Operation[] = [];
  readonly #url: string;
  /** A key with the scopes for management calls. */
  readonly #manager: string;
  /** Keys that are used continuously, in addition to the key under test. */
  readonly #bystanders: RaceKey[] = [];
  #current: RaceKey | undefined;
  #remainingUses = 0;
  #onUsedEnough: () => void = () => undefined;
  readonly #agents: Agent[] = [];
  readonly #sockets: HttpSocket[] = [];
  readonly #connections: Send[] = [];
  readonly #manage: Send;
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  constructor(url: string, manager: string) {
    this.#url = url;
    this.#manager = manager;
    this.#manage = this.#openKeepAlive();
  }

  /** Starts the traffic: two keep-alive connections and two with pipelined requests. */
  async start(bystanders: number): Promise<void> {
    for (let i = 0; i < bystanders; i++) this.#bystanders.push(await this.create());
    for (let i = 0; i < 2; i++) this.#run(this.#openKeepAlive(), 1);
    for (let i = 0; i < 2; i++) this.#run(await this.#openPipelined(), pipelined);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    for (const agent of this.#agents) agent.destroy();
    for (const socket of this.#sockets) socket.close();
  }

  async create(): Promise<RaceKey> {
    const sentAt = performance.now();
    const body = JSON.stringify({ name: 'race', scopes: ['keys:read'] });
    const response = await this.#manage('POST', '/v1/api-keys', this.#manager, body);
    const receivedAt = performance.now();
    if (response.status !== 201)
      throw new Error(`the creation returned ${response.status}: ${response.body}`);
    const { apiKey, key } = createdKeySchema.parse(JSON.parse(response.body));
    this.history.push({ kind: 'create', key: key.id, sentAt, receivedAt });
    return { id: key.id, apiKey };
  }

  /** Directs half of the traffic to a key, and waits until it has been used `times` times. */
  async useRepeatedly(key: RaceKey, times: number): Promise<void> {
    this.#current = key;
    this.#remainingUses = times;
    const enough = new Promise<void>((resolve) => {
      this.#onUsedEnough = resolve;
    });
    // If a connection fails, the wait ends with its error.
    await Promise.race([enough, ...this.#running]);
  }

  async revoke(key: RaceKey): Promise<void> {
    const sentAt = performance.now();
    const response = await this.#manage('POST', `/v1/api-keys/${key.id}/revoke`, this.#manager);
    const receivedAt = performance.now();
    if (response.status !== 200) throw new Error(`the revoke returned ${response.status}: ${response.body}`);
    this.history.push({ kind: 'revoke', key: key.id, sentAt, receivedAt });
  }

  /** Changes a key. @param begin records the change in a history */
  async change(key: RaceKey, body: unknown, begin: Begin): Promise<void> {
    const sentAt = performance.now();
    const path = `/v1/api-keys/${key.id}`;
    const response = await this.#manage('PATCH', path, this.#manager, JSON.stringify(body));
    const receivedAt = performance.now();
    if (response.status !== 200) throw new Error(`the change returned ${response.status}: ${response.body}`);
    this.history.push({ kind: 'change', key: key.id, sentAt, receivedAt, begin });
  }

  async rename(key: RaceKey, name: string): Promise<void> {
    const send = this.#connections[0] ?? this.#manage;
    const response = await send('PATCH', `/v1/api-keys/${key.id}`, this.#manager, JSON.stringify({ name }));
    if (response.status !== 200) throw new Error(`the rename returned ${response.status}: ${response.body}`);
  }

  /** Uses a key on every connection at once, after the requests that are already in progress there. */
  async probe(key: RaceKey): Promise<(string | null)[]> {
    return Promise.all(
      this.#connections.map((send, i) => this.#use(send, usePaths[i % usePaths.length] ?? '', key)),
    );
  }

  #run(send: Send, loops: number): void {
    this.#connections.push(send);
    for (let i = 0; i < loops; i++) this.#running.push(this.#hammer(send, i));
  }

  async #hammer(send: Send, offset: number): Promise<void> {
    for (let i = offset; !this.#stopped; i++) {
      const key = i % 2 === 0 ? this.#current : undefined;
      const other = this.#bystanders[i % this.#bystanders.length];
      const chosen = key ?? other;
      if (chosen === undefined) throw new Error('start() creates the bystanders');
      await this.#use(send, usePaths[i % usePaths.length] ?? '', chosen);
      if (chosen === this.#current && --this.#remainingUses === 0) this.#onUsedEnough();
    }
  }

  async #use(send: Send, path: string, key: RaceKey): Promise<string | null> {
    const sentAt = performance.now();
    const response = await send('GET', path, key.apiKey);
    const receivedAt = performance.now();
    const errorCode = response.status < 300 ? null : errorSchema.parse(JSON.parse(response.body)).error.code;
    const scopes = path === listPath ? ['keys:read'] : [];
    this.history.push({ kind: 'use', key: key.id, sentAt, receivedAt, errorCode, scopes });
    return errorCode;
  }

  #openKeepAlive(): Send {
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

  async #openPipelined(): Promise<Send> {
    const socket = await HttpSocket.open(this.#url);
    this.#sockets.push(socket);
    return async (method, path, apiKey, body = '') => {
      const fields = `Host: localhost\r\nAuthorization: Bearer ${apiKey}\r\nContent-Length: ${Buffer.byteLength(body)}`;
      return socket.send(`${method} ${path} HTTP/1.1\r\n${fields}\r\n\r\n${body}`);
    };
  }
}
