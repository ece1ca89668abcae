import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import { type ErrorCode, errorCodes } from '@soku/contract/error-codes';
import { type ErrorBody, errorSchema } from '@soku/contract/errors';
import { callWithFields, type Fields } from './http.ts';
import { Specification } from './openapi.ts';
import type { HttpResponse, Person } from './person.ts';
import { testTimeoutMs } from './test-timeout.ts';

interface Request {
  fields?: Fields;
  /** Sent as JSON, with its content type. */
  body?: unknown;
  /** Sends this person's cookie. */
  as?: Person;
  /** Sends this key. */
  key?: string;
}

/** Calls a server and checks every response against the server's OpenAPI document. */
export class Contract {
  readonly specification: Specification;
  readonly #url: string;

  constructor(url: string, specification: Specification) {
    this.#url = url;
    this.specification = specification;
  }

  /** Compiling the schemas takes longer than most tests, so files that share a server also share its contract. */
  static async of(server: { url: string }): Promise<Contract> {
    const contract =
      contracts.get(server) ??
      Specification.of(server).then((document) => new Contract(server.url, document));
    contracts.set(server, contract);
    return contract;
  }

  async call(method: string, path: string, request: Request = {}): Promise<HttpResponse> {
    const { fields = [], body, as, key } = request;
    const own: [string, string][] = [];
    if (as !== undefined) own.push(['Cookie', as.cookie]);
    if (key !== undefined) own.push(['Authorization', `Bearer ${key}`]);
    if (body !== undefined) own.push(['Content-Type', 'application/json']);
    const response = await callWithFields(`${this.#url}${path}`, {
      method,
      fields: [...own, ...fields],
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    this.specification.check(method, path, response);
    return response;
  }
}

const contracts = new WeakMap<object, Promise<Contract>>();

/**
 * Fails unless the response is a complete error response with this code.
 *
 * @param now epoch ms, by the clock of the server
 */
export function assertProblem(response: HttpResponse, code: ErrorCode, now = Date.now()): ErrorBody['error'] {
  const { error } = errorSchema.strict().parse(response.body);
  const row = errorCodes[code];
  assert.equal(error.code, code, response.text);
  assert.equal(response.status, row.status);
  assert.equal(error.type, row.type);
  assert.match(error.requestId, /^req_\w+$/);
  assert.equal(response.headers.get('x-request-id'), error.requestId);
  assert.ok(
    Math.abs(now - Date.parse(error.timestamp)) < 60_000,
    `${error.timestamp} is not the current time`,
  );
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  assert.ok(error.message.length > 20, `the message "${error.message}" is too short to say what to do`);
  return error;
}

/** Repeats a call until its result satisfies a condition; fails after a timeout. */
export async function eventually<T>(read: () => Promise<T>, satisfies: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + testTimeoutMs;
  for (let wait = 5; ; wait = Math.min(1.3 * wait, 50)) {
    const value = await read();
    if (satisfies(value)) return value;
    if (performance.now() > deadline) {
      assert.fail(`the condition was not met in time; the last value was ${inspect(value).slice(0, 1000)}`);
    }
    // Leave the CPU to the server in the meantime.
    await pause(wait);
  }
}
