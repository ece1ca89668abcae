import { STATUS_CODES } from 'node:http';

/** Upper ends of the buckets of the time that a request takes, in ms. The last bucket has no end. */
export const requestBucketEnds: readonly number[] = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];

/** As in nginx: the client left before there was a response. */
export const clientLeft = 499;

/** How long the requests of one route and method took. */
interface Durations {
  method: string;
  route: string;
  /** How many there are in each bucket, without those in the buckets before it. */
  counts: number[];
  sumMs: number;
}

interface StatusCount {
  method: string;
  route: string;
  /** 'other': none that is registered, which an API behind the gateway may invent. */
  status: number | 'other';
  count: number;
}

/** Methods that something here answers. Others are counted together, because anybody can invent one. */
const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Counts requests by method, route and status. A route is its pattern, never a URL, and 'none' when there is none, so
 * there are no more of them than the program has.
 */
export class RequestCounts {
  /** Requests that changed nothing because the storage did not take it. */
  failedWrites = 0;
  readonly #statuses = new Map<string, StatusCount>();
  readonly #verified = new Map<number, number>();
  readonly #durations = new Map<string, Durations>();

  /** @param ms how long it took until it was answered */
  answered(request: { method: string; route: string }, code: number, ms: number): void {
    const { route } = request;
    const status = code in STATUS_CODES || code === clientLeft ? code : 'other';
    const method = knownMethods.has(request.method) ? request.method : 'other';
    const key = `${method} ${route}`;
    const counted = this.#statuses.get(`${key} ${status}`);
    if (counted === undefined) this.#statuses.set(`${key} ${status}`, { method, route, status, count: 1 });
    else counted.count += 1;
    let durations = this.#durations.get(key);
    if (durations === undefined) {
      durations = { method, route, counts: [...requestBucketEnds.map(() => 0), 0], sumMs: 0 };
      this.#durations.set(key, durations);
    }
    const at = requestBucketEnds.findIndex((end) => ms <= end);
    const bucket = at === -1 ? requestBucketEnds.length : at;
    durations.counts[bucket] = (durations.counts[bucket] ?? 0) + 1;
    durations.sumMs += ms;
  }

  /** A `GET /v1/verify` on the hot path, whose time VerificationCounts has. */
  verified(status: number): void {
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
