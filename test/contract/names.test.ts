/** Which names a key can have. People decide by the name which key to revoke. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import fc from 'fast-check';
import { assertProblem, Contract } from '../support/contract.ts';
import { runCount } from '../support/run-count.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const { key } = await ada.createKey({ name: 'names' });

/** Renaming follows the same rules as creating, and needs only one key. */
const rename = (name: string) =>
  contract.call('PATCH', `/v1/api-keys/${key.id}`, { as: ada, body: { name } });

async function assertAccepted(name: string, stored = name): Promise<void> {
  const response = await rename(name);
  assert.equal(response.status, 200, response.text);
  assert.equal(keySchema.parse(response.body).name, stored);
}

async function assertRejected(name: string, problem: RegExp): Promise<void> {
  const { details } = assertProblem(await rename(name), 'invalid_request');
  assert.equal(details?.[0]?.path, 'name');
  assert.match(details?.[0]?.problem ?? '', problem);
}

test('a name is stored as entered, without white space at its ends', async () => {
  await assertAccepted('Production Server');
  await assertAccepted('  padded\t\n', 'padded');
  await assertAccepted('two  spaces inside');
  await assertAccepted('\u00a0no-break\u3000', 'no-break');
});

test('names in any script and with any symbols are accepted', async () => {
  for (const name of [
    'Grüße',
    '日本語',
    'العربية',
    'हिन्दी',
    'e\u0301',
    `'";--<b>&amp;`,
    '%_\\',
    '0',
    'null',
  ]) {
    await assertAccepted(name);
  }
});

test('emoji are accepted, including joined ones', async () => {
  for (const name of ['🚀', '👩‍💻 laptop', '👨‍👩‍👧', '❤️‍🔥', '👍🏽', '🇩🇪', '🏳️‍🌈 flag'])
    await assertAccepted(name);
});

test('a name must have 1 to 100 characters, and an emoji counts as one', async () => {
  await assertRejected('', /must not be empty/);
  await assertRejected(' \t\n\u3000', /must not be empty/);
  await assertAccepted('x'.repeat(100));
  await assertAccepted('🚀'.repeat(100));
  await assertAccepted(`   ${'x'.repeat(100)}   `, 'x'.repeat(100));
  await assertRejected('x'.repeat(101), /at most 100 characters/);
  await assertRejected('🚀'.repeat(101), /at most 100 characters/);
});

test('control characters are rejected', async () => {
  for (const character of ['\0', '\n', '\r', '\t', '\x1b', '\x7f', '\x85', '\u2028', '\u2029']) {
    await assertRejected(`a${character}b`, /control or invisible/);
  }
});

test('invisible characters and those that change the text direction are rejected', async () => {
  const hidden = ['\u00ad', '\u034f', '\u061c', '\u115f', '\u180e', '\u200b', '\u200c', '\u200e', '\u200f'];
  const directional = ['\u202a', '\u202e', '\u2066', '\u2069'];
  const more = ['\u2060', '\u2064', '\u206f', '\u3164', '\ufeff', '\uffa0', '\u{e0041}'];
  for (const character of [...hidden, ...directional, ...more]) {
    await assertRejected(`a${character}b`, /control or invisible/);
  }
  await assertRejected('Prod\u200duction', /control or invisible/);
  await assertRejected('🚀\u200d', /control or invisible/);
});

test('invisible characters that a script or an emoji requires are accepted', async () => {
  const england = '\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}';
  for (const name of [
    'می\u200cخواهم',
    'क्\u200dष',
    `London ${england}`,
    '1\uFE0F\u20E3 first',
    '葛\u{E0100}飾',
  ]) {
    await assertAccepted(name);
  }
});

test('a name that looks empty is rejected, and so are misplaced variation selectors and annotations', async () => {
  for (const name of ['\u2800', '\u3164', '\u115f', '\u1160\u1160', '\u180b', ' \u200b ']) {
    await assertRejected(name, /control or invisible/);
  }
  await assertRejected('\u0301', /must have a visible character/);
  for (const name of ['a\ufe0f', 'a\ufff9b\ufffac\ufffb', 'a\u2800b']) {
    await assertRejected(name, /control or invisible/);
  }
});

test('a long name without the key prefix is not taken for a key', async () => {
  for (const name of ['Ab1'.repeat(33), 'ProductionServerFrankfurtBackup2', 'x'.repeat(100)])
    await assertAccepted(name);
});

test('the name of an account follows the same rules', async () => {
  const renamePerson = (name: string) => ada.call('POST', '/api/auth/update-user', { name });
  for (const name of ['\u2800', 'a\u202eb', 'a\ufe0f', 'x'.repeat(101)]) {
    assertProblem(await renamePerson(name), 'invalid_request');
  }
  for (const name of ['می\u200cخواهم', '🚀'.repeat(100)])
    assert.equal((await renamePerson(name)).status, 200);
});

test('half of a surrogate pair is rejected, because it could not be stored unchanged', async () => {
  const body = (name: string) => `{"name":"${name}"}`;
  for (const name of ['\\ud83d', 'a\\udc00b', '\\ude80\\ud83d']) {
    const response = await contract.call('PATCH', `/v1/api-keys/${key.id}`, { as: ada, body: body(name) });
    assertProblem(response, 'invalid_request');
  }
  const whole = await contract.call('PATCH', `/v1/api-keys/${key.id}`, {
    as: ada,
    body: body('\\ud83d\\ude80'),
  });
  assert.equal(keySchema.parse(whole.body).name, '🚀');
});

test('a name that contains a key is rejected, and the response does not repeat it', async () => {
  const stray = generateKey();
  for (const name of [stray, `my key: ${stray}`, `"${stray}"`]) {
    const response = await rename(name);
    const error = assertProblem(response, 'invalid_request');
    assert.deepEqual(error.details, [{ path: 'name', problem: 'must not contain an API key' }]);
    assert.ok(!response.text.includes(stray.slice(8, 16)));
    assertProblem(
      await contract.call('POST', '/v1/api-keys', { as: ada, body: { name } }),
      'invalid_request',
    );
  }
  await assertAccepted(key.preview);
  await assertAccepted(key.id);
});

test('two keys may have the same name', async () => {
  const [first, second] = [await ada.createKey({ name: 'twin' }), await ada.createKey({ name: 'twin' })];
  assert.notEqual(first.key.id, second.key.id);
});

test('any name is stored unchanged, trimmed, or rejected with a reason', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 110 }), async (name) => {
      const response = await rename(name);
      if (response.status === 200) assert.equal(keySchema.parse(response.body).name, name.trim());
      else assertProblem(response, 'invalid_request');
    }),
    { numRuns: runCount(50, 2000) },
  );
});
