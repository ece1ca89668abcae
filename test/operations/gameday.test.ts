/** That the game day (`npm run gameday`) is not outdated, and that it reports a violated guarantee. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allFaults } from '../../gameday/faults.ts';
import { judgeVerification, type KnownKey } from '../../gameday/guarantee.ts';
import type { RawResponse } from '../support/http-socket.ts';
import { runCount } from '../support/run-count.ts';
import { root } from '../support/server.ts';

const isLong = runCount(0, 1) === 1;

/** The exit code without HAProxy or Prometheus. */
const missingProgram = 69;

test('the documentation has the last result of each fault, and each alert of a fault is a rule', () => {
  const page = readFileSync(join(root, 'docs/operations/gameday.md'), 'utf8');
  const sections = Array.from(page.matchAll(/^## ([a-z-]+)$/gm), ([, name]) => name);
  assert.deepEqual(
    sections,
    allFaults.map(({ name }) => name),
  );
  const rules = readFileSync(join(root, 'deploy/alerts.yaml'), 'utf8');
  for (const alert of allFaults.flatMap(({ alerts }) => Object.keys(alerts)))
    assert.match(rules, new RegExp(`alert: ${alert}$`, 'm'));
});

test('a revoked key must not be accepted, a valid key must not be rejected, and failures violate no guarantee', () => {
  const revoked = { id: 'key_1', apiKey: '', manager: '', revokeSentAt: 10, revokedAt: 20 };
  const valid = { ...revoked, revokeSentAt: null, revokedAt: null };
  const respond = (status: number, code?: string): RawResponse => {
    const error = {
      type: 'api_error',
      code,
      message: '.',
      timestamp: new Date(0).toISOString(),
      requestId: '.',
    };
    const body = code === undefined ? '' : JSON.stringify({ error });
    return { status, headers: new Map(), body, bytes: Buffer.from(body) };
  };
  const judge = (key: KnownKey, sentAt: number, response: RawResponse | undefined) => {
    const wall = { from: 0, to: 0 };
    const { broken, isFailure } = judgeVerification(key, { sentAt, receivedAt: sentAt + 3, wall, response });
    return { broken: broken !== null, isFailure };
  };
  const fine = { broken: false, isFailure: false };
  assert.deepEqual(judge(revoked, 21, respond(204)), { broken: true, isFailure: false });
  assert.deepEqual(judge(revoked, 19, respond(204)), fine);
  assert.deepEqual(judge(revoked, 21, respond(401, 'revoked_key')), fine);
  assert.deepEqual(judge(revoked, 5, respond(401, 'revoked_key')), { broken: true, isFailure: false });
  assert.deepEqual(judge(valid, 21, respond(204)), fine);
  assert.deepEqual(judge(valid, 21, respond(401, 'unknown_key')), { broken: true, isFailure: false });
  for (const key of [valid, revoked]) {
    const failure = { broken: false, isFailure: true };
    assert.deepEqual(judge(key, 21, undefined), failure);
    assert.deepEqual(judge(key, 21, respond(503, 'verification_unavailable')), failure);
  }
});

test('a game day with a killed node holds its guarantees', {
  skip: isLong ? false : 'takes a minute: SOKU_TEST_LONG=yes',
}, (t) => {
  const command = [join(root, 'gameday/main.ts'), '--only', 'kill-node'];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  if (status === missingProgram) return t.skip(stderr);
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.match(stdout, /Revoked keys that were accepted: 0\./);
});
