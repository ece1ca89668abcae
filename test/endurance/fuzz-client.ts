import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema } from '@soku/contract/keys';
import { ConnectionEnded, HttpSocket, type RawResponse } from '../support/http-socket.ts';
import type { Person } from '../support/person.ts';
import type { Random } from '../support/random.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { type FuzzCredentials, type FuzzRequest, fuzzRequest } from './fuzz-requests.ts';

/** Sends requests, one connection after the other, and records every problem. */
export class FuzzClient {
  readonly problems: string[] = [];
  /** How often each status and each error code was received. */
  readonly seen = new Map<string, number>();
  readonly #url: string;
  readonly #random: Random;
  readonly #sessions: Person[];
  #person: Person | undefined;
  #socket: HttpSocket | undefined;
  #credentials: FuzzCredentials | undefined;
  /** Ids of the keys in the credentials. */
  #keyIds = new Set<string>();

  /** @param sessions shared by the clients: a client takes one when its own has ended */
  constructor(url: string, random: Random, sessions: Person[]) {
    this.#url = url;
    this.#random = random;
    this.#sessions = sessions;
  }

  async run(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#credentials ??= await this.#createCredentials();
      const request = fuzzRequest(this.#random, this.#credentials);
      await this.#withTimeout(request, request.damaged ? this.#sendDamaged(request) : this.#send(request));
    }
    this.#socket?.close();
  }

  /** Reuses the session of this client until it ends, then takes another one. */
  async #currentSession(): Promise<Person> {
    for (;;) {
      const person = this.#person ?? this.#sessions.pop();
      if (person === undefined) throw new Error('the requests have ended all sessions');
      this.#person = person;
      if ((await person.call('GET', '/v1/api-keys')).status === 200) return person;
      this.#person = undefined;
    }
  }

  /** Creates a session, a key of each scope, and some keys to change. */
  async #createCredentials(): Promise<FuzzCredentials> {
    const person = await this.#currentSession();
    const scopes = [['keys:read'], ['keys:write'], ['keys:verify'], ['keys:read', 'keys:write'], []];
    const keys: { apiKey: string; key: { id: string } }[] = [];
    for (const granted of scopes) keys.push(await person.createKey({ name: 'fuzz', scopes: granted }));
    const spare = [await person.createKey({ name: 'spare' }), await person.createKey({ name: 'spare' })];
    this.#keyIds = new Set(keys.map(({ key }) => key.id));
    const revoked = await person.createKey({ name: 'revoked' });
    await person.revoke(revoked.key.id);
    return {
      cookie: person.cookie,
      keys: [...keys.map(({ apiKey }) => apiKey), revoked.apiKey],
      ids: [...spare, ...keys.slice(0, 1)].map(({ key }) => key.id),
    };
  }

  async #send(request: FuzzRequest): Promise<void> {
    if (this.#socket === undefined || this.#socket.ended) this.#socket = await HttpSocket.open(this.#url);
    const socket = this.#socket;
    try {
      const response = await socket.send(request.bytes, request.method === 'HEAD');
      this.#check(request, response);
      if (response.headers.get('connection') === 'close') socket.close();
    } catch (error) {
      if (!(error instanceof ConnectionEnded)) throw error;
      this.#report(request, 'no response');
    }
    for (const response of socket.unsolicited.splice(0))
      this.#report(request, `a second response: ${response.body}`);
  }

  /** Uses a separate connection, which the server must close. */
  async #sendDamaged(request: FuzzRequest): Promise<void> {
    const socket = await HttpSocket.open(this.#url);
    const received = socket.send(request.bytes, request.bytes.toString('latin1', 0, 5) === 'HEAD ').then(
      (response) => this.#check(request, response),
      () => this.#count('closed'),
    );
    socket.finishSending();
    await socket.closed();
    await received;
    for (const response of socket.unsolicited) this.#check(request, response);
  }

  async #withTimeout(request: FuzzRequest, work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(described(request, 'it did not finish'))), testTimeoutMs);
    });
    try {
      await Promise.race([work, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  #check(request: FuzzRequest, response: RawResponse): void {
    this.#count(String(response.status));
    if (response.status >= 500) this.#report(request, `status ${response.status}: ${response.body}`);
    if (response.status >= 400) this.#checkRejection(request, response);
    this.#dropInvalidCredentials(request, response);
    if (response.status === 201) this.#recordKeyId(response);
  }

  #checkRejection(request: FuzzRequest, response: RawResponse): void {
    const isApiPath = /^\/(v1|api)\//.test(request.target) && !request.target.startsWith('/api/auth/');
    if (request.method === 'HEAD' || (!isApiPath && !request.damaged)) return;
    const code = codeOf(response.body);
    if (code !== null) this.#count(code);
    else if (isApiPath)
      this.#report(request, `status ${response.status} without an error object: ${response.body}`);
  }

  /** Creates new credentials after a request that revoked a key in use or ended the session. */
  #dropInvalidCredentials(request: FuzzRequest, response: RawResponse): void {
    if (response.status !== 200 || request.method !== 'POST') return;
    const [, id = ''] = /^\/v1\/api-keys\/(key_\w+)\/revoke/.exec(request.target) ?? [];
    if (this.#keyIds.has(id) || /^\/api\/auth\/(sign-out|revoke|change)/.test(request.target))
      this.#credentials = undefined;
  }

  #recordKeyId(response: RawResponse): void {
    const created = createdKeySchema.safeParse(JSON.parse(response.body));
    const ids = this.#credentials?.ids;
    if (created.success && ids !== undefined)
      ids[ids.length > 30 ? this.#random.int(3, 30) : ids.length] = created.data.key.id;
  }

  #count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  #report(request: FuzzRequest, problem: string): void {
    this.problems.push(described(request, problem));
  }
}

function described(request: FuzzRequest, problem: string): string {
  const text = JSON.stringify(request.bytes.toString('latin1'));
  return `${problem.slice(0, 300)} <- ${text.slice(0, 1500)}`;
}

function codeOf(body: string): string | null {
  try {
    return errorSchema.parse(JSON.parse(body)).error.code;
  } catch {
    return null;
  }
}
