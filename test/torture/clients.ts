import { setTimeout as after } from 'node:timers/promises';
import { errorSchema } from '@soku/contract/errors';
import { verificationSchema } from '@soku/contract/verification';
import type { RawResponse } from '../support/http-socket.ts';
import { openSession } from '../support/session.ts';
import { failures, type SecretHistory } from './checker.ts';
import type { ClusterNode } from './cluster.ts';
import { Counts } from './counts.ts';
import type { Outage } from './outage.ts';
import { bearerField, ReconnectingConnection, type RoundTrip, request } from './reconnecting-connection.ts';

/** ms until a client retries after a failure. */
export const pauseMs = 20;

/** ms within which all outstanding requests must get a response at the end: statements time out after 12 s. */
const stopTimeoutMs = 20_000;

/** Maximum number of verifications that wait for a stopped node. */
const maxProbes = 5000;

/** A node and the resources of its clients. */
export interface NodeClients {
  node: ClusterNode;
  /** The session of the owner, as a header field. */
  owner: string;
  /**
   * A key that may create, revoke and verify others, as a header field. Each node has its own, because changes by a key
   * lock that key.
   */
  manager: string;
  /** For verifications whose responses are not awaited. */
  probes: ReconnectingConnection;
  /** For management calls, each of which uses its own connection. */
  idle: ReconnectingConnection[];
}

/** A secret that clients verify, and everything that they observed. */
export interface UsedSecret {
  /** The id of its key. */
  id: string;
  apiKey: string;
  history: SecretHistory;
}

/** What a verification requires of a key. */
export interface Requirements {
  /**
   * The address of the client, as a back end writes it, and in canonical form: the back end verifies with
   * `POST /v1/verify`. Undefined: a proxy does, with `GET /v1/verify`, and the client is this process.
   */
  ip?: { sent: string; canonical: string };
  scopes: readonly string[];
}

/** The address of the test, from which keys are used without a back end. */
export const ownAddress = '127.0.0.1';

const anyUse: Requirements = { scopes: [] };

/** A management call. */
export interface Call {
  method: 'GET' | 'PATCH' | 'POST';
  path: string;
  /** JSON. */
  body?: string;
  /** Who calls: a session or a key of the node. */
  by: 'owner' | 'manager';
}

/** Clients of all nodes. They send requests, and count and check the responses. */
export class Clients {
  /** Counts the responses from now on. Can be replaced at any time. */
  counts = new Counts();
  readonly #running = new Set<Promise<void>>();
  readonly #connections: ReconnectingConnection[] = [];
  readonly #ofNodes: NodeClients[] = [];
  #stopped = false;

  async start(nodes: readonly ClusterNode[]): Promise<void> {
    for (const node of nodes) this.#ofNodes.push(await this.#open(node));
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  get ofNodes(): readonly NodeClients[] {
    return this.#ofNodes;
  }

  /** Sends no new requests; resolves when all have a response, or after a timeout. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const deadline = new AbortController();
    await Promise.race([
      Promise.all(this.#running),
      after(stopTimeoutMs, undefined, { signal: deadline.signal }).then(() =>
        this.counts.addViolation(`a request got no response within ${stopTimeoutMs / 1000} s of the end`),
      ),
    ]);
    deadline.abort();
    for (const connection of this.#connections) connection.close();
  }

  connect(node: ClusterNode): ReconnectingConnection {
    const connection = new ReconnectingConnection(node.url);
    this.#connections.push(connection);
    return connection;
  }

  /** Repeats a step until `stop()`. */
  repeat(step: () => Promise<void>): void {
    const run = async () => {
      while (!this.#stopped) await step();
    };
    this.track(run());
  }

  /** Makes `stop()` wait for work that no one else awaits. */
  track(work: Promise<unknown>): void {
    const tracked = work.then(
      () => undefined,
      (error) => this.counts.addViolation(`the clients failed: ${error}`),
    );
    this.#running.add(tracked);
    void tracked.then(() => this.#running.delete(tracked));
  }

  /** Verifies a secret. @returns the outcome */
  async use(
    { node, manager }: NodeClients,
    connection: ReconnectingConnection,
    { id, apiKey, history }: UsedSecret,
    { ip, scopes }: Requirements = anyUse,
  ): Promise<string> {
    history.used(node.clock);
    const roundTrip = await connection.send(
      ip === undefined
        ? request('GET', `/v1/verify${queryOf(scopes)}`, bearerField(apiKey))
        : request('POST', '/v1/verify', manager, JSON.stringify({ apiKey, ip: ip.sent, scopes })),
    );
    const outcome = ip === undefined ? outcomeOf(roundTrip.response) : codeOf(roundTrip.response);
    this.counts.verified(outcome);
    const address = ip?.canonical ?? ownAddress;
    const { sentAt, receivedAt, wall } = roundTrip;
    const clock = node.clockDuring(roundTrip);
    const checked = { sentAt, receivedAt, clock, wall, address, scopes, outcome };
    const problem = history.check(checked, node.outage);
    if (problem !== null) this.counts.addViolation(`${node.name}: ${id} ${problem}`);
    return outcome;
  }

  /** Verifies at every node now, including stopped ones, which handle the request when they wake up. */
  probe(secret: UsedSecret, use?: Requirements): void {
    for (const clients of this.#ofNodes) {
      if (clients.probes.pending < maxProbes) this.track(this.use(clients, clients.probes, secret, use));
    }
  }

  async call(clients: NodeClients, { method, path, body, by }: Call): Promise<RoundTrip> {
    const connection = clients.idle.pop() ?? this.connect(clients.node);
    const roundTrip = await connection.send(request(method, path, clients[by], body));
    this.counts.operations += 1;
    clients.idle.push(connection);
    return roundTrip;
  }

  /**
   * The outages of all nodes. Creations and changes lock rows, which a failing node may hold, so the others may time
   * out. Verifications, and revokes of keys that no one changes, wait for no lock.
   */
  get outages(): Outage[] {
    return this.#ofNodes.map(({ node }) => node.outage);
  }

  /** Whether a management call succeeded. A failure must be excused by an outage and have an expected outcome. */
  succeeded(
    status: number,
    roundTrip: RoundTrip,
    what: string,
    outages: readonly Outage[],
  ): roundTrip is RoundTrip & { response: RawResponse } {
    const { response } = roundTrip;
    if (response?.status === status) return true;
    if (response === undefined) this.counts.noResponse += 1;
    else this.counts.unavailable += 1;
    const outcome = outcomeOf(response);
    if (!failures.has(outcome) || !outages.some((outage) => outage.excuses(roundTrip))) {
      this.counts.addViolation(`${what} returned ${response?.status} ${outcome}`);
    }
    return false;
  }

  async #open(node: ClusterNode): Promise<NodeClients> {
    const owner = await openSession(node.server);
    const { apiKey } = await owner.createKey({
      name: node.name,
      scopes: ['keys:read', 'keys:write', 'keys:verify'],
    });
    return {
      node,
      owner: `Cookie: ${owner.cookie}`,
      manager: bearerField(apiKey),
      probes: this.connect(node),
      idle: [],
    };
  }
}

/** 'accepted', the code of an error, or 'no response'. */
export function outcomeOf(response: RawResponse | undefined): string {
  if (response === undefined) return 'no response';
  if (response.status < 300) return 'accepted';
  return errorSchema.parse(JSON.parse(response.body)).error.code;
}

/** The same for the response to a back end. */
function codeOf(response: RawResponse | undefined): string {
  if (response?.status !== 200) return outcomeOf(response);
  const { code } = verificationSchema.parse(JSON.parse(response.body));
  return code === 'valid' ? 'accepted' : code;
}

function queryOf(scopes: readonly string[]): string {
  return scopes.length === 0 ? '' : `?${scopes.map((scope) => `scope=${scope}`).join('&')}`;
}
