/** Every call of the life of a key after its creation, with the key in each place where it is needed or pasted. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { keySchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import { bearer } from '../support/person.ts';
import type { TestServer } from '../support/server.ts';
import { bodiesWith } from './key-placements.ts';
import type { LeakDetector } from './leak-detector.ts';

const json = { 'Content-Type': 'application/json' };

/** Restricts, rotates, imports, lists and revokes keys. @param cookie of a session that is recent enough to rotate */
export async function runKeyLifeCycle(
  detector: LeakDetector,
  server: TestServer,
  cookie: string,
): Promise<void> {
  const life = new KeyLife(detector, server, { Cookie: cookie, ...json });
  const policy = { name: 'restricted', externalId: 'customer 7', metadata: { plan: 'pro' } };
  const { apiKey: first, id } = await life.create(policy);
  const { apiKey: verifier } = await life.create({ name: 'back end', scopes: ['keys:verify'] });
  const restrictions = {
    ...{ disabled: true, allowedAddresses: ['192.0.2.0/24'], expiresAt: '2099-01-01T00:00:00Z' },
    ...{ scopes: ['keys:read'], rateLimit: 5, metadata: { plan: 'free' }, externalId: null },
  };
  await life.send('PATCH', `/v1/api-keys/${id}`, restrictions, 200);
  await life.useEverywhere(first, verifier);
  await life.send('PATCH', `/v1/api-keys/${id}`, { disabled: false, allowedAddresses: null }, 200);

  const { apiKey: second } = await life.rotate(id, { graceSeconds: 3600, startGrace: 'firstUse' });
  await life.useEverywhere(second, verifier);
  const { secrets } = keySchema.parse(JSON.parse(await life.send('GET', `/v1/api-keys/${id}`)));
  await life.send('POST', `/v1/api-keys/${id}/secrets/${secrets[1]?.id}/retire`, undefined, 200);
  const { apiKey: third } = await life.rotate(id, { graceSeconds: 0 });
  const imported = await life.import();
  for (const key of [first, second, third, imported]) await life.useEverywhere(key, verifier);
  for (const key of [second, imported]) await life.paste(key, id);
  await life.read(id, third);
  await life.revoke(id, second, third);
  for (const key of [first, second, third]) await life.useEverywhere(key, verifier);
  await life.read(id, third);
}

class KeyLife {
  readonly #detector: LeakDetector;
  readonly #server: TestServer;
  readonly #person: Record<string, string>;

  constructor(detector: LeakDetector, server: TestServer, person: Record<string, string>) {
    this.#detector = detector;
    this.#server = server;
    this.#person = person;
  }

  /** Sends a call as the person. @param status undefined: any */
  async send(method: string, path: string, body?: unknown, status?: number): Promise<string> {
    const options = { headers: this.#person, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await this.#detector.call(this.#server, method, path, options);
    if (status !== undefined) assert.equal(response.status, status, response.body);
    return response.body;
  }

  async create(body: object) {
    return this.#detector.create(this.#server, this.#person, JSON.stringify(body));
  }

  async rotate(id: string, rotation: object) {
    const path = `/v1/api-keys/${id}/rotate`;
    return this.#detector.create(this.#server, this.#person, JSON.stringify(rotation), path);
  }

  /** Imports a key by its hash. Nothing sends the key itself, until a client uses it. */
  async import(): Promise<string> {
    const key = generateKey();
    this.#detector.keys.push(key);
    const hash = createHash('sha256').update(key).digest('hex');
    const keys = [{ name: 'imported', hash, previewStart: key.slice(0, 11), previewEnd: key.slice(-3) }];
    await this.send('POST', '/v1/api-keys/import', { keys, dryRun: true }, 200);
    await this.send('POST', '/v1/api-keys/import', { keys }, 200);
    return key;
  }

  /** Uses a secret in each way in which a program or its back end can. */
  async useEverywhere(key: string, verifier: string): Promise<void> {
    for (const path of [
      '/v1/verify',
      '/v1/verify?scope=files:read&environment=test',
      '/v1/verify/a?b=c',
      '/v1/me',
    ])
      await this.#as(key, 'GET', path);
    for (const body of [{ apiKey: key, ip: '203.0.113.7' }, { apiKeys: [key, `${key}x`, 'x'] }])
      await this.#as(verifier, 'POST', '/v1/verify', body);
  }

  /** Pastes a key into each field of each call. */
  async paste(key: string, id: string): Promise<void> {
    // Of another key. The hash of a known one would change nothing.
    const fields = { name: 'x', hash: randomBytes(32).toString('hex') };
    const rows = [
      ...[
        { ...fields, name: key },
        { ...fields, hash: key },
        { ...fields, [key]: key },
        { ...fields, externalId: key },
      ],
      ...[
        { ...fields, previewStart: key },
        { ...fields, metadata: { [key]: key } },
        { ...fields, scopes: [key] },
      ],
      ...[
        { ...fields, allowedAddresses: [key] },
        { ...fields, expiresAt: key },
        { ...fields, rateLimit: key },
      ],
      key,
    ];
    // Each alone, because one wrong row prevents the import of the others.
    for (const row of rows) await this.send('POST', '/v1/api-keys/import', { keys: [row] }, 200);
    const change = `/v1/api-keys/${id}`;
    for (const value of [
      ...[{ externalId: key }, { metadata: { note: key } }, { metadata: { [key]: 'x' } }, { reason: key }],
      ...[{ allowedAddresses: [key] }, { rateLimit: key }, { graceSeconds: key }, { startGrace: key }],
      ...[{ ids: [key] }, { scopes: [{ name: key }] }, { scopes: [{ name: 'a', description: key }] }],
      ...[
        { url: `https://example.com/${key}`, events: ['*'] },
        { url: 'https://example.com', description: key },
      ],
      ...[{ maxKeyLifetimeDays: key }, { apiKey: key }, { events: [key] }],
    ]) {
      for (const path of [
        `${change}/rotate`,
        `${change}/revoke`,
        `${change}/secrets/${key}/retire`,
        ...pasted,
      ])
        await this.send('POST', path, value);
      for (const path of [change, '/v1/workspace']) await this.send('PATCH', path, value, 400);
      await this.send('PUT', '/v1/scopes', value, 400);
    }
    for (const body of bodiesWith(key)) {
      const options = { headers: this.#person, body };
      for (const path of pasted) await this.#detector.call(this.#server, 'POST', path, options);
      await this.#detector.call(this.#server, 'PUT', '/v1/scopes', options);
    }
  }

  /** Reads everything that is stored about keys. */
  async read(id: string, key: string): Promise<void> {
    const hash = createHash('sha256').update(key).digest('hex');
    const own = `/v1/api-keys/${id}`;
    for (const path of [own, `${own}/usage`, `${own}/descendants`, `/v1/api-keys?status=all&hash=${hash}`])
      await this.send('GET', path, undefined, 200);
    for (const path of [
      '/v1/api-keys?status=all&sort=lastUsed',
      '/v1/audit',
      '/v1/audit/export',
      '/v1/scopes',
    ])
      await this.send('GET', path, undefined, 200);
    for (const path of [
      '/v1/hygiene?kind=unrestricted',
      '/v1/usage',
      '/v1/nodes',
      '/v1/webhooks',
      '/metrics',
    ])
      await this.send('GET', path);
  }

  /** Revokes the key in each way. The first one decides; the others repeat it. */
  async revoke(id: string, retired: string, newest: string): Promise<void> {
    for (const key of [retired, newest])
      await this.#as(key, 'POST', '/v1/api-keys/self/revoke', { reason: 'leaked' });
    await this.send('POST', `/v1/api-keys/${id}/revoke`, { reason: 'leaked' }, 200);
    await this.send('POST', '/v1/api-keys/revoke', { ids: [id], reason: 'leaked' }, 200);
  }

  async #as(key: string, method: string, path: string, body?: unknown): Promise<void> {
    const headers = { ...bearer(key), ...json };
    const options = body === undefined ? { headers } : { headers, body: JSON.stringify(body) };
    await this.#detector.call(this.#server, method, path, options);
  }
}

/** Calls that no field with a key in it can pass. */
const pasted = [
  '/v1/api-keys/import',
  '/v1/api-keys/revoke',
  '/v1/verify',
  '/v1/webhooks',
  '/v1/leaks/github',
];
