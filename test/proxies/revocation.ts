import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { findViolations, type Operation } from '../endurance/history.ts';
import { times } from '../support/long.ts';
import { bearer } from '../support/person.ts';
import type { Scene } from './scene.ts';

const lanes = 8;
const rounds = times(4, 80);
/** Completed uses of a key before it is revoked. */
const usesBefore = 8;

/** Each lane uses the current key repeatedly on its own connection, which stays open. */
class Hammer {
  readonly history: Operation[] = [];
  /** Number of requests on reused connections. */
  reused = 0;
  readonly #url: string;
  readonly #agents = Array.from({ length: lanes }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  #current: { id: string; apiKey: string };
  #uses = 0;
  #usedEnough: () => void = () => undefined;
  #stopped = false;
  readonly #running: Promise<void>[];

  constructor(url: string, key: { id: string; apiKey: string }) {
    this.#url = url;
    this.#current = key;
    this.#running = this.#agents.map((agent) => this.#hammer(agent));
  }

  /** Switches the lanes to a key, and waits until it was used often enough. */
  async use(key: { id: string; apiKey: string }): Promise<void> {
    const enough = new Promise<void>((resolve) => {
      this.#usedEnough = resolve;
    });
    this.#uses = 0;
    this.#current = key;
    // A failing connection ends the wait with its error.
    await Promise.race([enough, ...this.#running]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    for (const agent of this.#agents) agent.destroy();
  }

  async #hammer(agent: Agent): Promise<void> {
    while (!this.#stopped) {
      const key = this.#current;
      const sentAt = performance.now();
      const refused = await this.#ask(agent, key.apiKey);
      this.history.push({ kind: 'use', key: key.id, sentAt, answeredAt: performance.now(), refused });
      if (key === this.#current && ++this.#uses === usesBefore) this.#usedEnough();
    }
  }

  /** @returns the code of the rejection, or null */
  #ask(agent: Agent, apiKey: string): Promise<string | null> {
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
export function testRevocation(scene: () => Scene): void {
  test('after a revoke has returned, no open connection accepts the key', async () => {
    const { ada, proxy } = scene();
    const history: Operation[] = [];
    const make = async () => {
      const sentAt = performance.now();
      const { apiKey, key } = await ada.makeKey({ name: 'hammered' });
      history.push({ kind: 'create', key: key.id, sentAt, answeredAt: performance.now() });
      return { id: key.id, apiKey };
    };
    const hammer = new Hammer(proxy.url, await make());
    try {
      for (let round = 0; round < rounds; round++) {
        const key = await make();
        await hammer.use(key);
        const sentAt = performance.now();
        await ada.revoke(key.id);
        history.push({ kind: 'revoke', key: key.id, sentAt, answeredAt: performance.now() });
        const answer = await scene().ask({ key: key.apiKey });
        assert.equal(errorSchema.parse(answer.body).error.code, 'revoked_key');
      }
    } finally {
      await hammer.stop();
    }
    const all = [...history, ...hammer.history];
    assert.deepEqual(findViolations(all), []);
    assert.ok(
      all.filter((operation) => operation.kind === 'use' && operation.refused === 'revoked_key').length >
        rounds,
    );
    assert.ok(
      hammer.reused > hammer.history.length - 2 * lanes,
      `${hammer.reused} of ${hammer.history.length}`,
    );
  });
}
