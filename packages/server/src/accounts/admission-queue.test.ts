import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestError } from '../http/errors.ts';
import { AdmissionQueue, type PasswordClient } from './admission-queue.ts';

/** A queue in which the test ends each turn. */
class QueueFixture {
  readonly queue: AdmissionQueue;
  /** Networks that had or have their turn, in order. */
  readonly admitted: string[] = [];
  readonly #ends = new Map<string, () => void>();
  time = 0;

  constructor(slots: number, maxWaiting: number) {
    this.queue = new AdmissionQueue({ slots, maxWaiting, now: () => this.time });
  }

  /** @returns `done`, or the Retry-After of a rejection */
  enter(network: string, known = false): Promise<string> {
    const client: PasswordClient = { network, known };
    const turn = this.queue.run(client, () => {
      this.admitted.push(network);
      return new Promise<string>((resolve) => this.#ends.set(network, () => resolve('done')));
    });
    return turn.catch((error: unknown) => {
      assert.ok(error instanceof RequestError);
      assert.equal(error.problem.code, 'server_busy');
      return `retry after ${error.problem.headers?.['retry-after']}`;
    });
  }

  /** Ends a turn and lets the next one begin. */
  async end(network: string): Promise<void> {
    await new Promise(setImmediate);
    this.#ends.get(network)?.();
    await new Promise(setImmediate);
  }
}

test('as many requests run at a time as there are slots, and the others follow in order', async () => {
  const fixture = new QueueFixture(2, 10);
  const turns = ['a', 'b', 'c', 'd'].map((network) => fixture.enter(network));
  await new Promise(setImmediate);
  assert.deepEqual(fixture.admitted, ['a', 'b']);
  for (const network of ['b', 'a', 'c', 'd']) await fixture.end(network);
  assert.deepEqual(fixture.admitted, ['a', 'b', 'c', 'd']);
  assert.deepEqual(await Promise.all(turns), Array(4).fill('done'));
});

test('one request per network waits, and the next one is rejected at once', async () => {
  const fixture = new QueueFixture(1, 10);
  void fixture.enter('a');
  void fixture.enter('a');
  assert.match(await fixture.enter('a'), /^retry after \d+$/);
  void fixture.enter('b');
  await fixture.end('a');
  await fixture.end('a');
  assert.deepEqual(fixture.admitted, ['a', 'a', 'b']);
});

test('known clients go first, even if an unknown client of their network is waiting', async () => {
  const fixture = new QueueFixture(1, 10);
  for (const network of ['a', 'b', 'c']) void fixture.enter(network);
  void fixture.enter('b', true);
  await fixture.end('a');
  assert.deepEqual(fixture.admitted, ['a', 'b']);
  assert.match(await fixture.enter('b'), /^retry after/);
});

test('in a full queue, unknown clients are rejected, and a known client replaces the last unknown one', async () => {
  const fixture = new QueueFixture(1, 2);
  void fixture.enter('a');
  const [first, last] = [fixture.enter('b'), fixture.enter('c')];
  assert.match(await fixture.enter('d'), /^retry after/);
  const known = fixture.enter('e', true);
  assert.match(await last, /^retry after/);
  void fixture.enter('f', true);
  assert.match(await first, /^retry after/);
  assert.match(await fixture.enter('g', true), /^retry after/, 'known clients are also bounded');
  for (const network of ['a', 'e', 'f']) await fixture.end(network);
  assert.equal(await known, 'done');
  assert.deepEqual(fixture.admitted, ['a', 'e', 'f']);
});

test('a client that disconnects leaves the queue', async () => {
  const { queue } = new QueueFixture(1, 1);
  const done: string[] = [];
  const { promise: first, resolve: end } = Promise.withResolvers<void>();
  const running = queue.run({ network: 'a', known: false }, () => first);
  const gone = new AbortController();
  const waiting = queue.run({ network: 'b', known: false, signal: gone.signal }, async () => done.push('b'));
  gone.abort();
  await assert.rejects(waiting, RequestError);
  const next = queue.run({ network: 'c', known: false }, async () => done.push('c'));
  end();
  await Promise.all([running, next]);
  assert.deepEqual(done, ['c']);
});

test('Retry-After is the time that the requests ahead will take', async () => {
  const fixture = new QueueFixture(1, 3);
  void fixture.enter('a');
  await new Promise(setImmediate);
  fixture.time = 4000;
  await fixture.end('a');
  for (const network of ['b', 'c', 'd', 'e']) void fixture.enter(network);
  assert.equal(await fixture.enter('f'), 'retry after 16');
});

test('a turn that fails frees its slot', async () => {
  const { queue } = new QueueFixture(1, 1);
  const client = { network: 'a', known: false };
  await assert.rejects(
    queue.run(client, async () => {
      throw new Error('the database does not respond');
    }),
    /does not respond/,
  );
  assert.equal(await queue.run(client, async () => 'next'), 'next');
});

test('a client that disconnected before it entered takes no place', async () => {
  const queue = new AdmissionQueue({ slots: 1, maxWaiting: 1 });
  const gone = { network: 'a', known: false, signal: AbortSignal.abort() };
  await assert.rejects(
    queue.run(gone, async () => assert.fail('it had its turn')),
    RequestError,
  );
  assert.equal(await queue.run({ network: 'b', known: false }, async () => 'done'), 'done');
});
