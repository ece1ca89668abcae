/** What may be the name of a key. Names are shown to people who decide by them which key to kill. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import fc from 'fast-check';
import { assertProblem, Contract } from '../support/contract.ts';
import { times } from '../support/long.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const { key } = await ada.makeKey({ name: 'names' });

/** Making and renaming go by the same rule, and renaming leaves no heap of keys. */
const rename = (name: string) =>
  contract.call('PATCH', `/v1/api-keys/${key.id}`, { as: ada, body: { name } });

async function assertKept(name: string, kept = name): Promise<void> {
  const answer = await rename(name);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(keySchema.parse(answer.body).name, kept);
}

async function assertRefused(name: string, problem: RegExp): Promise<void> {
  const { details } = assertProblem(await rename(name), 'invalid_request');
  assert.equal(details?.[0]?.path, 'name');
  assert.match(details?.[0]?.problem ?? '', problem);
}

test('a name is kept as it was typed, without the white space at its ends', async () => {
  await assertKept('Production Server');
  await assertKept('  padded\t\n', 'padded');
  await assertKept('two  spaces inside');
  await assertKept('\u00a0no-break\u3000', 'no-break');
});

test('names of all scripts and signs are kept', async () => {
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
    await assertKept(name);
  }
});

test('emoji are kept, also those that are joined out of several', async () => {
  for (const name of ['🚀', '👩‍💻 laptop', '👨‍👩‍👧', '❤️‍🔥', '👍🏽', '🇩🇪', '🏳️‍🌈 flag']) await assertKept(name);
});

test('a name has 1 to 100 characters, and a character outside the first plane counts once', async () => {
  await assertRefused('', /must not be empty/);
  await assertRefused(' \t\n\u3000', /must not be empty/);
  await assertKept('x'.repeat(100));
  await assertKept('🚀'.repeat(100));
  await assertKept(`   ${'x'.repeat(100)}   `, 'x'.repeat(100));
  await assertRefused('x'.repeat(101), /at most 100 characters/);
  await assertRefused('🚀'.repeat(101), /at most 100 characters/);
});

test('control characters are refused', async () => {
  for (const character of ['\0', '\n', '\r', '\t', '\x1b', '\x7f', '\x85', '\u2028', '\u2029']) {
    await assertRefused(`a${character}b`, /control or invisible/);
  }
});

test('characters that nobody sees, or that turn the text round, are refused', async () => {
  const hidden = ['\u00ad', '\u034f', '\u061c', '\u115f', '\u180e', '\u200b', '\u200c', '\u200e', '\u200f'];
  const turning = ['\u202a', '\u202e', '\u2066', '\u2069'];
  const more = ['\u2060', '\u2064', '\u206f', '\u3164', '\ufeff', '\uffa0', '\u{e0041}'];
  for (const character of [...hidden, ...turning, ...more]) {
    await assertRefused(`a${character}b`, /control or invisible/);
  }
  await assertRefused('Prod\u200duction', /control or invisible/);
  await assertRefused('🚀\u200d', /control or invisible/);
});

test('invisible characters that a script or an emoji needs are kept', async () => {
  const england = '\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}';
  for (const name of [
    'می\u200cخواهم',
    'क्\u200dष',
    `London ${england}`,
    '1\uFE0F\u20E3 first',
    '葛\u{E0100}飾',
  ]) {
    await assertKept(name);
  }
});

test('a name that looks empty is refused, and so are selectors behind letters and annotations', async () => {
  for (const name of ['\u2800', '\u3164', '\u115f', '\u1160\u1160', '\u180b', ' \u200b ']) {
    await assertRefused(name, /control or invisible/);
  }
  await assertRefused('\u0301', /must have a visible character/);
  for (const name of ['a\ufe0f', 'a\ufff9b\ufffac\ufffb', 'a\u2800b']) {
    await assertRefused(name, /control or invisible/);
  }
});

test('a long name without a prefix is no key', async () => {
  for (const name of ['Ab1'.repeat(33), 'ProductionServerFrankfurtBackup2', 'x'.repeat(100)])
    await assertKept(name);
});

test('the name of an account goes by the same rule', async () => {
  const renamePerson = (name: string) => ada.call('POST', '/api/auth/update-user', { name });
  for (const name of ['\u2800', 'a\u202eb', 'a\ufe0f', 'x'.repeat(101)]) {
    assertProblem(await renamePerson(name), 'invalid_request');
  }
  for (const name of ['می\u200cخواهم', '🚀'.repeat(100)])
    assert.equal((await renamePerson(name)).status, 200);
});

test('half a character is refused, because it could not be stored as it came', async () => {
  const body = (name: string) => `{"name":"${name}"}`;
  for (const name of ['\\ud83d', 'a\\udc00b', '\\ude80\\ud83d']) {
    const answer = await contract.call('PATCH', `/v1/api-keys/${key.id}`, { as: ada, body: body(name) });
    assertProblem(answer, 'invalid_request');
  }
  const whole = await contract.call('PATCH', `/v1/api-keys/${key.id}`, {
    as: ada,
    body: body('\\ud83d\\ude80'),
  });
  assert.equal(keySchema.parse(whole.body).name, '🚀');
});

test('a name that holds a key is refused, and the answer does not repeat it', async () => {
  const stray = generateKey();
  for (const name of [stray, `my key: ${stray}`, `"${stray}"`]) {
    const answer = await rename(name);
    const error = assertProblem(answer, 'invalid_request');
    assert.deepEqual(error.details, [{ path: 'name', problem: 'must not contain an API key' }]);
    assert.ok(!answer.text.includes(stray.slice(8, 16)));
    assertProblem(
      await contract.call('POST', '/v1/api-keys', { as: ada, body: { name } }),
      'invalid_request',
    );
  }
  await assertKept(key.preview);
  await assertKept(key.id);
});

test('two keys may have the same name', async () => {
  const [first, second] = [await ada.makeKey({ name: 'twin' }), await ada.makeKey({ name: 'twin' })];
  assert.notEqual(first.key.id, second.key.id);
});

test('any name is either kept exactly, trimmed, or refused with a reason', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 110 }), async (name) => {
      const answer = await rename(name);
      if (answer.status === 200) assert.equal(keySchema.parse(answer.body).name, name.trim());
      else assertProblem(answer, 'invalid_request');
    }),
    { numRuns: times(50, 2000) },
  );
});
