import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runCount } from '../../../test/support/run-count.ts';
import { coversGrant, coversScope, grantSchema, isScope } from './scopes.ts';

/** Words of the scopes in these tests: those of reserved namespaces, and others that begin like them. */
const words = ['a', 'b', 'keys', 'keysmith', 'audit', 'read'];
/** A word that no grant names, as in a scope that is added later. */
const later = 'later';

/** Every scope of up to three words. */
const universe = scopesOf([...words, later], 3);

function scopesOf(parts: readonly string[], length: number): string[] {
  if (length === 1) return [...parts];
  const shorter = scopesOf(parts, length - 1);
  const longest = shorter.filter((scope) => scope.split(':').length === length - 1);
  return [...shorter, ...longest.flatMap((scope) => parts.map((part) => `${scope}:${part}`))];
}

/** The scopes of the universe that a grant covers, word by word. */
function expand(grant: string): Set<string> {
  const parts = grant.split(':');
  const isWildcard = parts.at(-1) === '*';
  const fixed = isWildcard ? parts.slice(0, -1) : parts;
  return new Set(
    universe.filter((scope) => {
      const own = scope.split(':');
      if (!isWildcard) return scope === grant;
      if (['keys', 'audit'].includes(own[0] ?? '')) return false;
      return own.length > fixed.length && fixed.every((part, i) => part === own[i]);
    }),
  );
}

const scope = fc
  .array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(':'));
const wildcard = fc
  .array(fc.constantFrom(...words), { minLength: 0, maxLength: 2 })
  .map((parts) => [...parts, '*'].join(':'));
/** Also `keys:*`, which cannot be given to a key, but could be stored by an edit of the database. */
const grant = fc.oneof(scope, wildcard);
const grants = fc.array(grant, { maxLength: 4 });
const numRuns = runCount(2000, 50_000);

test('grants cover a scope exactly if one of them expands to it', () => {
  fc.assert(
    fc.property(grants, fc.constantFrom(...universe), (held, required) => {
      const expected = held.some((one) => expand(one).has(required));
      assert.equal(coversScope(held, required), expected);
    }),
    { numRuns },
  );
});

test('a key never grants more than it holds', () => {
  fc.assert(
    fc.property(grants, grant, (held, given) => {
      if (!coversGrant(held, given)) return;
      for (const covered of expand(given)) {
        assert.ok(coversScope(held, covered), `${held} hands out ${given}, and with it ${covered}`);
      }
    }),
    { numRuns },
  );
});

test('a key can grant every scope that its own grants cover, including scopes that are added later', () => {
  fc.assert(
    fc.property(
      grants,
      grant.filter((one) => grantSchema.safeParse(one).success),
      (held, given) => {
        if (coversGrant(held, given)) return;
        // A scope that nothing names yet, and that only the grant would cover.
        const witness = given.replace(/\*$/, later);
        assert.ok(expand(given).has(witness) || !universe.includes(witness));
        assert.ok(!coversScope(held, witness), `${held} cover ${given}, but do not hand it out`);
      },
    ),
    { numRuns },
  );
});

test('a chain of keys never gains a scope that the first key lacks', () => {
  fc.assert(
    fc.property(
      grants,
      fc.array(grants, { maxLength: 4 }),
      fc.constantFrom(...universe),
      (first, others, required) => {
        let held = first;
        for (const next of others) held = next.filter((one) => coversGrant(held, one));
        if (coversScope(held, required)) assert.ok(coversScope(first, required));
      },
    ),
    { numRuns },
  );
});

test('no wildcard covers a scope of a reserved namespace, and only whole words are compared', () => {
  const cases: [string, string, boolean][] = [
    ['*', 'files', true],
    ['*', 'keys', false],
    ['*', 'keys:read', false],
    ['*', 'audit:read', false],
    ['*', 'keys:new', false],
    ['*', 'keysmith:read', true],
    ['keys:*', 'keys:read', false],
    ['audit:*', 'audit:read', false],
    ['keysmith:*', 'keysmith:read', true],
    ['files:*', 'files', false],
    ['files:*', 'files:read', true],
    ['files:*', 'files:images:read', true],
    ['files:*', 'files2:read', false],
    ['file:*', 'files:read', false],
    [':*', 'files:read', false],
    ['', 'files:read', false],
  ];
  for (const [held, required, covered] of cases) {
    assert.equal(coversScope([held], required), covered, `${held} ${required}`);
  }
});

test('a grant is a scope, a prefix with a star, or a star', () => {
  const [longest, longer] = ['x'.repeat(64), 'x'.repeat(65)];
  for (const valid of [
    'a',
    'a:b',
    'a1_-:0:-',
    longest,
    '*',
    'a:*',
    'a:b:*',
    `${'x'.repeat(62)}:*`,
    'keys:read',
  ]) {
    assert.ok(grantSchema.safeParse(valid).success, valid);
  }
  const invalid = [
    '',
    'A',
    'a:',
    ':a',
    'a::b',
    '1',
    'a b',
    'a\n',
    'ä',
    longer,
    '**',
    'a*',
    '*:a',
    'a:*:b',
    'a:**',
  ];
  for (const text of [...invalid, 'keys:*', 'audit:*', 'keys:x:*', `${'x'.repeat(63)}:*`]) {
    assert.ok(!grantSchema.safeParse(text).success, text);
  }
  for (const text of invalid) assert.ok(!isScope(text), text);
});
