import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { errorSchema, keyListSchema } from '@soku/server/key-schemas';
import { bearer } from '../support/person.ts';
import { startServer } from '../support/server.ts';

const server = await startServer();
after(() => server.stop());
const ada = await server.signIn();

test('a key that is revoked while it sends the body of a creation makes no key (ASVS 8.3.2, 15.4.2)', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'thief', scopes: ['keys:write'] });
  const body = JSON.stringify({ name: 'child' });
  const creation = request(`${server.url}/v1/api-keys`, {
    method: 'POST',
    headers: {
      ...bearer(apiKey),
      'content-type': 'application/json',
      'content-length': body.length,
      expect: '100-continue',
    },
  });
  creation.flushHeaders();
  // The server answers 100 when it has read the headers; by then the first look at the key is done or under way.
  await once(creation, 'continue');
  creation.write(body.slice(0, 5));
  await ada.revoke(key.id);
  creation.end(body.slice(5));
  const [response] = await once(creation, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;

  assert.equal(response.statusCode, 401);
  assert.equal(errorSchema.parse(JSON.parse(text)).error.code, 'revoked_key');
  const all = keyListSchema.parse((await ada.call('GET', '/v1/api-keys?status=all')).body);
  assert.deepEqual(
    all.data.map((made) => made.name),
    ['thief'],
  );
});
