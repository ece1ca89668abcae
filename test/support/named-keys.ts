import { randomBytes } from 'node:crypto';
import { importResultSchema } from '@soku/contract/imports';
import type { Person } from './person.ts';

/** Creates a key with each name, the last one newest, in one call. Their secrets are unknown. */
export async function addKeysNamed(person: Person, names: readonly string[]): Promise<void> {
  const start = Date.now() - names.length;
  const keys = names.map((name, index) => ({
    name,
    hash: randomBytes(32).toString('hex'),
    previewStart: 'sk_live_abc',
    previewEnd: 'xyz',
    createdAt: new Date(start + index).toISOString(),
  }));
  const { status, body } = await person.call('POST', '/v1/api-keys/import', { keys });
  const result = importResultSchema.safeParse(body);
  if (result.data?.imported !== names.length)
    throw new Error(`the keys were not added: ${status}: ${JSON.stringify(body)}`);
}
