import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generateKey } from '@soku/key';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { GitRepository } from '../../../../test/support/git-repository.ts';
import { runOperatorInProcess } from '../../../../test/support/operator-in-process.ts';
// The schema of OASIS for SARIF 2.1.0 (rtm.5), without its descriptions and defaults.
import schema from '../../../../test/support/sarif-2.1.0.json' with { type: 'json' };

const prefix = 'acme_key_';
const newKey = () => generateKey({ prefix });
const validate = new Ajv2020({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(schema);

const locationSchema = z.object({
  artifactLocation: z.object({ uri: z.string(), uriBaseId: z.string().optional() }),
  region: z.object({ startLine: z.number(), startColumn: z.number() }),
});
const runSchema = z.object({
  columnKind: z.literal('utf16CodeUnits'),
  originalUriBaseIds: z.record(z.string(), z.object({ uri: z.url() })),
  invocations: z.tuple([z.object({ executionSuccessful: z.boolean() })]),
  results: z.array(
    z.object({
      message: z.object({ text: z.string() }),
      locations: z.tuple([z.object({ physicalLocation: locationSchema })]),
      properties: z.object({ commit: z.string().optional(), object: z.string() }).optional(),
    }),
  ),
});

/** Runs a scan, and checks its output against the schema. */
async function report(args: string[], input?: string) {
  const env = { SOKU_KEY_PREFIX: prefix };
  const { output } = await runOperatorInProcess(['scan', '--format', 'sarif', ...args], env, input);
  const text = output.replaceAll(/^soku: .*\n/gm, '');
  const sarif: unknown = JSON.parse(text);
  assert.ok(validate(sarif), JSON.stringify(validate.errors));
  const { runs } = z.object({ runs: z.tuple([runSchema]) }).parse(sarif);
  return { run: runs[0], text };
}

test('a report is valid SARIF, and its URIs lead to the files', async () => {
  using repository = new GitRepository();
  const [deleted, present, message] = [newKey(), newKey(), newKey()];
  repository.write('lib/ü #1.ts', `\n\u{1f511} ${deleted}`);
  const first = repository.commit(`Add ${message}`);
  rmSync(join(repository.path, 'lib'), { recursive: true });
  repository.commit('Remove it');
  repository.write('src/a b.ts', `x\n\u{1f511} ${present}`);
  for (const path of [repository.path, join(repository.path, 'src')]) {
    const { run, text } = await report([path]);
    assert.ok(run.invocations[0].executionSuccessful);
    const places = run.results.map(({ locations: [{ physicalLocation: place }], ...result }) => {
      const { uri, uriBaseId = '' } = place.artifactLocation;
      assert.doesNotMatch(uri, /^[/.]{2}|^\//, 'relative to its repository');
      const { startLine, startColumn } = place.region;
      const file = fileURLToPath(new URL(uri, run.originalUriBaseIds[uriBaseId]?.uri));
      return { file, startLine, startColumn, commit: result.properties?.commit };
    });
    const file = { file: join(repository.path, 'src/a b.ts'), startLine: 2, startColumn: 4 };
    assert.deepEqual(places[0], { ...file, commit: undefined });
    if (path === repository.path) {
      const old = { file: join(repository.path, 'lib/ü #1.ts'), startLine: 2, startColumn: 4 };
      assert.deepEqual(places[2], { ...old, commit: first });
      assert.equal(places[1]?.file, join(repository.path, '.git/objects'));
      assert.match(run.results[2]?.message.text ?? '', new RegExp(`in commit ${first.slice(0, 12)} lib/`));
    }
    assert.doesNotMatch(text, /acme_key_[0-9A-Za-z]{4}/, 'no more of a key than its preview');
  }
});

test('a report without a finding, one of standard input, and one of an incomplete scan are valid SARIF', async () => {
  using repository = new GitRepository();
  repository.write('a.txt', 'a');
  repository.commit('First');
  const clean = await report([repository.path]);
  assert.deepEqual([clean.run.results, clean.run.invocations[0].executionSuccessful], [[], true]);
  const { run } = await report(['-'], newKey());
  assert.equal(run.results.length, 1);
  rmSync(join(repository.path, '.git', 'objects'), { recursive: true });
  const broken = await report([repository.path]);
  assert.deepEqual([broken.run.results, broken.run.invocations[0].executionSuccessful], [[], false]);
});
