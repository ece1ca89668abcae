/** Responses while the database is down: they report the outage and never blame the caller. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Deployment } from '../operations/nodes.ts';
import { assertProblem, eventually } from '../support/contract.ts';
import { call, type HttpResponse } from '../support/person.ts';
import { owner } from '../support/server.ts';
import { openSession } from '../support/session.ts';

let deployment: Deployment;
before(async () => {
  deployment = await Deployment.start(1);
});
after(() => deployment.stop());

const signIn = (url: string) => call(`${url}/api/auth/sign-in/email`, { method: 'POST', body: owner });

function assertDatabaseUnavailable(response: HttpResponse, pattern: RegExp): void {
  const { message } = assertProblem(response, 'verification_unavailable');
  assert.match(message, pattern);
  assert.equal(response.headers.get('retry-after'), '1');
  assert.deepEqual(response.headers.getSetCookie(), [], 'no one is signed out');
}

test('without its database a node rejects all callers alike, reports only certain outcomes, and recovers by itself', async () => {
  const node = deployment.node(0);
  const ada = await openSession(node.server);
  node.network.cut();
  const cutAt = performance.now();
  const reads = ['/v1/api-keys', '/v1/workspace', '/api/session', '/api/auth/get-session'];
  for (const path of [...reads, '/api/auth/list-sessions']) {
    assertDatabaseUnavailable(await ada.call('GET', path), /^The database is not responding\. Try again\.$/);
  }
  const uncertain = /may or may not have been made: check before you retry/;
  assertDatabaseUnavailable(await ada.call('POST', '/v1/api-keys', { name: 'x' }), uncertain);
  assertDatabaseUnavailable(await ada.call('PATCH', '/v1/workspace', { rateLimit: 5 }), uncertain);
  assertDatabaseUnavailable(await ada.call('POST', '/api/auth/revoke-sessions', {}), uncertain);
  assertDatabaseUnavailable(await signIn(node.url), uncertain);
  await Promise.all(Array.from({ length: 100 }, () => ada.call('GET', '/v1/api-keys')));
  const lines = node.server.output.split('\n').filter((line) => line.includes('"level":50'));
  // A few per second, so a busy machine has more of them.
  const most = 30 + (5 * (performance.now() - cutAt)) / 1000;
  assert.ok(lines.length >= 1 && lines.length < most, `${lines.length} lines of 109 failures`);
  for (const line of node.server.output.trim().split('\n')) assert.match(line, /^\{/, 'past the log');
  assert.doesNotMatch(node.server.output, /postgres:\/\/|"client"|request failed with an internal error/);

  node.network.heal();
  for (let status = 0; status !== 200; ) {
    ({ status } = await ada.call('GET', '/v1/api-keys'));
    if (status !== 200) await pause(20);
  }
  assert.equal((await ada.createKey({ name: 'afterwards' })).key.status, 'active');
});

test('terminated database connections cause an error about the uncertain outcome, and created keys persist', async () => {
  const ada = await openSession(deployment.node(0).server);
  const terminate = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'soku' AND pid <> pg_backend_pid()`;
  const waiting = `SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'soku' AND wait_event_type = 'Lock'`;
  let isDone = false;
  const create = () =>
    Promise.all(Array.from({ length: 120 }, () => ada.call('POST', '/v1/api-keys', { name: 'ended' })));
  // On a busy machine all of them might otherwise end before the first termination.
  const { responses } = await deployment.whileWorkspacesLocked(async () => {
    const sent = create().finally(() => {
      isDone = true;
    });
    await eventually(
      () => deployment.query(waiting),
      ({ length }) => length >= 3,
    );
    await deployment.query(terminate);
    return { responses: sent };
  });
  while (!isDone) await deployment.query(terminate);
  const created = (await responses).filter(({ status }) => status === 201);
  const lost = (await responses).filter(({ status }) => status !== 201);
  assert.ok(lost.length > 0);
  for (const response of lost) assertProblem(response, 'verification_unavailable');
  const rows = await deployment.query("SELECT id FROM api_key WHERE name = 'ended'");
  assert.ok(rows.length >= created.length);
});
