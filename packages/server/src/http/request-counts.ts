import { nodeHttp } from '../node-http.ts';

/** Upper bounds of the duration buckets in ms. The last bucket has no bound. */
export const requestBucketBounds: readonly number[] = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];

/** As in nginx: the client disconnected before the response. */
export const clientClosedStatus = 499;

/** The durations of the requests of one route and method. */
interface Durations {
  method: string;
  route: string;
  /** Number of requests in each bucket, not cumulative. */
  counts: number[];
  sumMs: number;
}

interface StatusCount {
  method: string;
  route: string;
  /** 'other': an unregistered status, which an API behind the gateway may send. */
  status: number | 'other';
  count: number;
}

/** Supported methods. All others are counted together, because clients can invent them. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Counts requests by method, route and status. A route is a pattern, never a URL, or 'none', so the number of label
 * values is bounded.
 */
export class RequestCounts {
  /** Number of requests that failed because the storage accepted no writes. */
  failedWrites = 0;
  readonly #statuses = new Map<string, StatusCount>();
  readonly #verified = new Map<number, number>();
  readonly #durations = new Map<string, Durations>();

  /** @param ms time until the response */
  recordResponse(request: { method: string; route: string }, code: number, ms: number): void {
    const { route } = request;
    const status = code in nodeHttp.STATUS_CODES || code === clientClosedStatus ? code : 'other';
    const method = knownMethods.has(request.method) ? request.method : 'other';
    const key = `${method} ${route}`;
    const counted = this.#statuses.get(`${key} ${status}`);
    if (counted === undefined) this.#statuses.set(`${key} ${status}`, { method, route, status, count: 1 });
    else counted.count += 1;
    let durations = this.#durations.get(key);
    if (durations === undefined) {
      durations = { method, route, counts: [...requestBucketBounds.map(() => 0), 0], sumMs: 0 };
      this.#durations.set(key, durations);
    }
    const at = requestBucketBounds.findIndex((end) => ms <= end);
    const bucket = at === -1 ? requestBucketBounds.length : at;
    durations.counts[bucket] = (durations.counts[bucket] ?? 0) + 1;
    durations.sumMs += ms;
  }

  /** Counts a `GET /v1/verify` on the hot path, whose duration is in VerificationCounts. */
  recordVerification(status: number): void {
    this.#verified.set(status, (this.#verified.get(status) ?? 0) + 1);
  }

  *statuses(): Iterable<StatusCount> {
    yield* this.#statuses.values();
    for (const [status, count] of this.#verified) {
      yield { method: 'GET', route: '/v1/verify', status, count };
    }
  }

  durations(): Iterable<Durations> {
    return this.#durations.values();
  }
}
