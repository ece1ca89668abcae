import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { findViolations, type Operation } from '../endurance/history.ts';
import { bearer } from '../support/person.ts';
import { runCount } from '../support/run-count.ts';
import type { ProxyFixture } from './fixture.ts';

const connections = 8;
const rounds = runCount(4, 80);
/** Completed uses of a key before it is revoked. */
const usesBefore = 8;

/** Uses the current key continuously on several persistent connections. */
class ContinuousUse {
  readonly history: Operation[] = [];
  /** Number of requests on reused connections. */
  reused = 0;
  readonly #url: string;
  readonly #agents = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  #current: { id: string; apiKey: string };
  #uses = 0;
  #onUsedEnough: () => void = () => undefined;
  #stopped = false;
  readonly #running: Promise<void>[];

  constructor(url: string, key: { id: string; apiKey: string }) {
    this.#url = url;
    this.#current = key;
    this.#running = this.#agents.map((agent) => this.#useContinuously(agent));
  }

  /** Switches all connections to a key, and waits until it has been used often enough. */
  async switchTo(key: { id: string; apiKey: string }): Promise<void> {
    const enough = new Promise<void>((resolve) => {
      this.#onUsedEnough = resolve;
    });
    this.#uses = 0;
    this.#current = key;
    // If a connection fails, the wait ends with its error.
    await Promise.race([enough, ...this.#running]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    for (const agent of this.#agents) agent.destroy();
  }

  async #useContinuously(agent: Agent): Promise<void> {
    while (!this.#stopped) {
      const key = this.#current;
      const sentAt = performance.now();
      const errorCode = await this.#send(agent, key.apiKey);
      this.history.push({ kind: 'use', key: key.id, sentAt, receivedAt: performance.now(), errorCode });
      if (key === this.#current && ++this.#uses === usesBefore) this.#onUsedEnough();
    }
  }

  /** @returns the code of the rejection, or null */
  #send(agent: Agent, apiKey: string): Promise<string | null> {
    const { promise, resolve, reject } = Promise.withResolvers<string | null>();
    const sent = request(`${this.#url}/orders`, { agent, headers: bearer(apiKey) }, async (response) => {
      const body = await text(response);
      resolve(response.statusCode === 200 ? null : errorSchema.parse(JSON.parse(body)).error.code);
      if (sent.reusedSocket) this.reused += 1;
    });
    sent.once('error', reject).end();
    return promise;
  }
}

/** Revocation is immediate and permanent, with open connections on both sides of a proxy (ASVS 8.3.2). */
export function testRevocation(fixture: () => ProxyFixture): void {
  test('after a revoke has returned, no open connection accepts the key', async () => {
    const { ada, proxy } = fixture();
    const history: Operation[] = [];
    const create = async () => {
      const sentAt = performance.now();
      const { apiKey, key } = await ada.createKey({ name: 'in use' });
      history.push({ kind: 'create', key: key.id, sentAt, receivedAt: performance.now() });
      return { id: key.id, apiKey };
    };
    const uses = new ContinuousUse(proxy.url, await create());
    try {
      for (let round = 0; round < rounds; round++) {
        const key = await create();
        await uses.switchTo(key);
        const sentAt = performance.now();
        await ada.revoke(key.id);
        history.push({ kind: 'revoke', key: key.id, sentAt, receivedAt: performance.now() });
        const response = await fixture().send({ key: key.apiKey });
        assert.equal(errorSchema.parse(response.body).error.code, 'revoked_key');
      }
    } finally {
      await uses.stop();
    }
    const all = [...history, ...uses.history];
    assert.deepEqual(findViolations(all), []);
    assert.ok(
      all.filter((operation) => operation.kind === 'use' && operation.errorCode === 'revoked_key').length >
        rounds,
    );
    assert.ok(
      uses.reused > uses.history.length - 2 * connections,
      `${uses.reused} of ${uses.history.length}`,
    );
  });
}
