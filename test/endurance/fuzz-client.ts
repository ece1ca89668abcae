import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema } from '@soku/contract/keys';
import { ConnectionEnded, HttpSocket, type RawResponse } from '../support/http-socket.ts';
import { patience } from '../support/patience.ts';
import type { Person } from '../support/person.ts';
import type { Random } from '../support/random.ts';
import { type Doors, type FuzzRequest, fuzzRequest } from './fuzz-requests.ts';

/** Sends requests on one connection after the other, and writes down what must not be. */
export class FuzzClient {
  readonly problems: string[] = [];
  /** How often each status and each code of an error came. */
  readonly seen = new Map<string, number>();
  readonly #url: string;
  readonly #random: Random;
  readonly #sessions: Person[];
  #person: Person | undefined;
  #socket: HttpSocket | undefined;
  #doors: Doors | undefined;
  /** Ids of the keys behind the doors. */
  #worksWith = new Set<string>();

  /** @param sessions of which it takes one when its own has ended */
  constructor(url: string, random: Random, sessions: Person[]) {
    this.#url = url;
    this.#random = random;
    this.#sessions = sessions;
  }

  async run(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#doors ??= await this.#open();
      const request = fuzzRequest(this.#random, this.#doors);
      await this.#within(request, request.damaged ? this.#sendDamaged(request) : this.#send(request));
    }
    this.#socket?.close();
  }

  /** The session of this client until it ends. */
  async #signedIn(): Promise<Person> {
    for (;;) {
      const person = this.#person ?? this.#sessions.pop();
      if (person === undefined) throw new Error('the requests have ended all sessions');
      this.#person = person;
      if ((await person.call('GET', '/v1/api-keys')).status === 200) return person;
      this.#person = undefined;
    }
  }

  /** A session, a key of each scope, and some keys to change. */
  async #open(): Promise<Doors> {
    const person = await this.#signedIn();
    const scopes = [['keys:read'], ['keys:write'], ['keys:verify'], ['keys:read', 'keys:write'], []];
    const keys: { apiKey: string; key: { id: string } }[] = [];
    for (const own of scopes) keys.push(await person.makeKey({ name: 'fuzz', scopes: own }));
    const spare = [await person.makeKey({ name: 'spare' }), await person.makeKey({ name: 'spare' })];
    this.#worksWith = new Set(keys.map(({ key }) => key.id));
    const dead = await person.makeKey({ name: 'dead' });
    await person.revoke(dead.key.id);
    return {
      cookie: person.cookie,
      keys: [...keys.map(({ apiKey }) => apiKey), dead.apiKey],
      ids: [...spare, ...keys.slice(0, 1)].map(({ key }) => key.id),
    };
  }

  async #send(request: FuzzRequest): Promise<void> {
    if (this.#socket === undefined || this.#socket.ended) this.#socket = await HttpSocket.open(this.#url);
    const socket = this.#socket;
    try {
      const answer = await socket.send(request.bytes, request.method === 'HEAD');
      this.#judge(request, answer);
      if (answer.headers.get('connection') === 'close') socket.close();
    } catch (error) {
      if (!(error instanceof ConnectionEnded)) throw error;
      this.#report(request, 'no answer came');
    }
    for (const answer of socket.unsolicited.splice(0))
      this.#report(request, `a second answer came: ${answer.body}`);
  }

  /** On a connection of its own, which the server must close. */
  async #sendDamaged(request: FuzzRequest): Promise<void> {
    const socket = await HttpSocket.open(this.#url);
    const answered = socket.send(request.bytes, request.bytes.toString('latin1', 0, 5) === 'HEAD ').then(
      (answer) => this.#judge(request, answer),
      () => this.#count('closed'),
    );
    socket.finishSending();
    await socket.closed();
    await answered;
    for (const answer of socket.unsolicited) this.#judge(request, answer);
  }

  async #within(request: FuzzRequest, work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const hung = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(described(request, 'no end of it came'))), patience);
    });
    try {
      await Promise.race([work, hung]);
    } finally {
      clearTimeout(timer);
    }
  }

  #judge(request: FuzzRequest, answer: RawResponse): void {
    this.#count(String(answer.status));
    if (answer.status >= 500) this.#report(request, `answered ${answer.status}: ${answer.body}`);
    if (answer.status >= 400) this.#judgeRefusal(request, answer);
    this.#closeDoors(request, answer);
    if (answer.status === 201) this.#learn(answer);
  }

  #judgeRefusal(request: FuzzRequest, answer: RawResponse): void {
    const ours = /^\/(v1|api)\//.test(request.target) && !request.target.startsWith('/api/auth/');
    if (request.method === 'HEAD' || (!ours && !request.damaged)) return;
    const code = codeOf(answer.body);
    if (code !== null) this.#count(code);
    else if (ours) this.#report(request, `answered ${answer.status} without the envelope: ${answer.body}`);
  }

  /** When a request revoked a key that the client works with, or ended its session, it gets others. */
  #closeDoors(request: FuzzRequest, answer: RawResponse): void {
    if (answer.status !== 200 || request.method !== 'POST') return;
    const [, id = ''] = /^\/v1\/api-keys\/(key_\w+)\/revoke/.exec(request.target) ?? [];
    if (this.#worksWith.has(id) || /^\/api\/auth\/(sign-out|revoke|change)/.test(request.target))
      this.#doors = undefined;
  }

  #learn(answer: RawResponse): void {
    const made = createdKeySchema.safeParse(JSON.parse(answer.body));
    const ids = this.#doors?.ids;
    if (made.success && ids !== undefined)
      ids[ids.length > 30 ? this.#random.int(3, 30) : ids.length] = made.data.key.id;
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
