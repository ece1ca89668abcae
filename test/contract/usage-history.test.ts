/** The usage of a key and of a workspace over time: by hour and day, with clients, as JSON and as CSV. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay, msPerHour } from '@soku/contract/instant';
import { type UsageHistory, usageHistorySchema } from '@soku/contract/usage-history';
import { assertProblem, Contract } from '../support/contract.ts';
import { runSqlOn } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);

async function historyOf(path: string, query = ''): Promise<UsageHistory> {
  const response = await contract.call('GET', `${path}/history${query}`, { as: ada });
  assert.equal(response.status, 200, response.text);
  return usageHistorySchema.strict().parse(response.body);
}

async function use(key: string, times: number, agent: string, path = '/v1/verify'): Promise<void> {
  for (let i = 0; i < times; i++) await contract.call('GET', path, { key, fields: [['User-Agent', agent]] });
}

/** Adds a stored row, as if the key had been used then. */
async function addDay(owner: string, day: number, outcome: string, column: string, requests: number) {
  await runSqlOn(
    server,
    `INSERT INTO usage_day (day, owner, hash, outcome, ${column})
     SELECT CAST(? AS INTEGER), id, hash, ?, CAST(? AS BIGINT)
     FROM (SELECT k.id, s.hash FROM api_key k JOIN api_key_secret s ON s.key_id = k.id WHERE k.id = ?) AS key RETURNING day`,
    ...[day, outcome, requests].map(String),
    owner,
  );
}

const today = Math.floor(Date.now() / msPerDay);

test('requests are in the history at once, by outcome, with the program that sent them', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'history' });
  await use(apiKey, 16, 'backup/1.0');
  await use(apiKey, 5, 'deploy/2.1 (linux)');
  await use(apiKey, 2, 'deploy/2.1', '/v1/api-keys');
  const path = `/v1/api-keys/${key.id}/usage`;
  const found = await historyOf(path, '?hours=24');
  assert.deepEqual([found.accepted, found.refused, found.by], [21, 2, 'hour']);
  assert.deepEqual(found.refusedBy, { insufficient_scope: 2 });
  assert.equal(found.periods.length, 24);
  const { addresses, programs, otherAddresses, otherPrograms, sampling } = found.clients;
  const sum = (all: { requests: number }[]) => all.reduce((total, { requests }) => total + requests, 0);
  // Which requests are samples is random, and a flush can come in between.
  assert.deepEqual([sum(programs), sum(addresses), otherAddresses, otherPrograms], [21, 21, 0, 0]);
  const sent = ['backup/1.0', 'deploy/2.1'];
  assert.ok(
    programs.some(({ name }) => name === 'deploy/2.1'),
    'the last one',
  );
  assert.ok(programs.every(({ name }) => sent.includes(name)));
  assert.equal(sampling, 16);
  // Two days, because in Tokyo one can begin between the requests and this call.
  const { accepted, clients } = await historyOf('/v1/usage', '?days=2&timeZone=Asia/Tokyo');
  assert.ok(accepted >= 21);
  assert.ok(clients.programs.some(({ name }) => name === 'deploy/2.1'));
});

test('long ranges are by day in the time zone of the reader, and end with what is kept', async () => {
  const { key } = await ada.createKey({ name: 'long' });
  await addDay(key.id, today - 40, 'accepted', 'h23', 7);
  await addDay(key.id, today - 40, 'revoked_key', 'h22', 2);
  await addDay(key.id, today - 1000, 'accepted', 'h0', 99);
  const path = `/v1/api-keys/${key.id}/usage`;
  const at = async (query: string) => {
    const { accepted, refused, by, periods, retentionDays } = await historyOf(path, query);
    const used = periods.filter((period) => period.accepted + period.refused > 0);
    assert.equal(retentionDays, 90);
    return {
      accepted,
      refused,
      by,
      length: periods.length,
      used: used.map(({ from, refusedBy }) => [from, refusedBy]),
    };
  };
  const start = (day: number, hour = 0) => new Date(day * msPerDay + hour * msPerHour).toISOString();
  assert.deepEqual(await at('?days=all'), {
    ...{ accepted: 7, refused: 2, by: 'day', length: 90 },
    used: [[start(today - 40), { revoked_key: 2 }]],
  });
  assert.deepEqual(await at('?days=30'), { accepted: 0, refused: 0, by: 'day', length: 30, used: [] });
  const byHour = await at('?days=all&by=hour');
  assert.deepEqual(byHour.used, [
    [start(today - 40, 22), { revoked_key: 2 }],
    [start(today - 40, 23), {}],
  ]);
  // In Tokyo, these hours are on the next day, which begins at 15:00 UTC.
  const { used, accepted } = await at('?days=60&timeZone=Asia/Tokyo');
  assert.deepEqual([used, accepted], [[[start(today - 40, 15), { revoked_key: 2 }]], 7]);
});

test('a table of requests or clients can be downloaded, and holds no formulas', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'table' });
  await use(apiKey, 3, '=HYPERLINK("http://evil","x")');
  await use(apiKey, 1, '+1', '/v1/api-keys');
  const download = async (query: string) => {
    const response = await contract.call('GET', `/v1/api-keys/${key.id}/usage.csv${query}`, { as: ada });
    assert.equal(response.status, 200, response.text);
    assert.match(String(response.headers.get('content-type')), /^text\/csv/);
    assert.match(String(response.headers.get('content-disposition')), /^attachment; filename="usage-/);
    return response.text.split('\r\n');
  };
  const lines = await download('?days=2');
  assert.equal(lines[0], 'from,to,accepted,rejected,rejected: insufficient_scope');
  const numbers = lines.slice(1, -1).map((line) => line.split(','));
  assert.ok(numbers.every(([from]) => /^\d{4}-\d\d-\d\dT\d\d:00:00.000Z$/.test(from ?? '')));
  const sum = (column: number) => numbers.reduce((total, cells) => total + Number(cells[column]), 0);
  assert.deepEqual([2, 3, 4].map(sum), [3, 1, 1]);
  const clients = await download('?hours=24&table=clients');
  assert.equal(clients[0], 'kind,name,accepted (estimate)');
  assert.ok(clients.includes(`program,"'=HYPERLINK(""http://evil"",""x"")",3`), clients.join('\n'));
  const workspace = await contract.call('GET', '/v1/usage.csv?days=all', { as: ada });
  assert.ok(workspace.text.split('\r\n').length > 90);
});

test('a range must be valid, and a key needs keys:read and sees its own workspace', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'no scope' });
  for (const query of ['hours=24&days=1', 'days=0', 'days=x', 'hours=745', 'timeZone=Mars', 'by=week']) {
    const response = await contract.call('GET', `/v1/usage/history?${query}`, { as: ada });
    assertProblem(response, 'invalid_request');
  }
  for (const path of ['/v1/usage/history', '/v1/usage.csv', `/v1/api-keys/${key.id}/usage.csv`])
    assertProblem(await contract.call('GET', path, { key: apiKey }), 'insufficient_scope');
  const unknown = `/v1/api-keys/key_${'0'.repeat(26)}/usage/history`;
  assertProblem(await contract.call('GET', unknown, { as: ada }), 'not_found');
});
