/**
 * A flood of forged reports at the endpoint for leaked keys, from many addresses, while keys are verified and GitHub sends a
 * report: what it costs, and what it can reach. It takes minutes, so it runs only with SOKU_TEST_LONG.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { newSigner, startKeyList } from '../support/github.ts';
import type { Fields } from '../support/http.ts';
import { runCount } from '../support/run-count.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

/** Requests of each kind, and how many at a time. */
const [flood, large, atOnce] = [10_000, 500, 50];

/** CPU time of a process so far, in ms: user and system. */
function cpuOf({ pid }: TestServer): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The memory of a process in MB: now and at most. */
function memoryOf({ pid }: TestServer): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

const agents = { flood: new Agent({ keepAlive: true }), beside: new Agent({ keepAlive: true }) };

interface Sent {
  method: string;
  fields: Record<string, string>;
  body?: string;
  agent?: Agent;
}

/** The status of the response, or 0 if the connection ended before. */
function send(url: string, { method, fields, body = '', agent = agents.flood }: Sent): Promise<number> {
  return new Promise((resolve) => {
    const sent = request(url, { method, agent, headers: fields }, (response) => {
      response.resume();
      response.on('close', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', () => resolve(0));
    sent.end(body);
  });
}

/** Sends so many requests, some at a time. Returns how often each status came. */
async function sendMany(count: number, one: (i: number) => Promise<number>): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) {
      const status = await one(i);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return statuses;
}

test('a flood of forged reports neither slows down verification nor causes requests to GitHub', {
  skip: runCount(0, 1) === 1 ? false : 'takes minutes: SOKU_TEST_LONG=yes',
}, async (t) => {
  const github = newSigner();
  const { list, url, stop } = await startKeyList([github]);
  t.after(stop);
  const limit = { TRUST_PROXY: '127.0.0.1', SOKU_ADDRESS_RATE_LIMIT: '60' };
  const server = await startServer({ env: { SOKU_GITHUB_KEYS_URL: url, ...limit } });
  const origin = `http://127.0.0.1:${new URL(server.url).port}`;
  t.after(() => server.stop());
  t.after(() => {
    for (const agent of Object.values(agents)) agent.destroy();
  });
  const { apiKey } = await (await openSession(server)).createKey({ name: 'verified meanwhile' });
  const body = JSON.stringify([
    { token: generateKey(), type: 'x', url: 'https://x.test/', source: 'content' },
  ]);
  const filled = `[${' '.repeat(900_000)}]`;
  const report = (fields: Fields, address: string, sent: Partial<Sent> = {}) => {
    const all = {
      'content-type': 'application/json',
      'x-forwarded-for': address,
      ...Object.fromEntries(fields),
    };
    return send(`${origin}/v1/leaks/github`, { method: 'POST', fields: all, body, ...sent });
  };
  const verify = (agent: Agent) =>
    send(`${origin}/v1/verify`, { method: 'GET', fields: { authorization: `Bearer ${apiKey}` }, agent });
  const { beside: own } = agents;
  /** As many addresses as an attacker may have, so that most requests are below the limit of theirs. */
  const addressOf = (i: number) => `2001:db8:${(i % 5000).toString(16)}::1`;
  const signature = ['Github-Public-Key-Signature', 'AAAA'] as const;
  const unknown = (i: number): Fields => [
    ['Github-Public-Key-Identifier', `${i}`.padStart(64, '0')],
    signature,
  ];
  const forged: Fields = [['Github-Public-Key-Identifier', github.id], signature];

  /** Floods while keys are verified and GitHub sends reports, one after another. */
  const during = async (what: string, count: number, one: (i: number) => Promise<number>) => {
    const [cpu, fetches] = [cpuOf(server), list.fetches];
    let [flooding, verified, reported] = [true, 0, 0];
    let slowest = 0;
    const beside = (async () => {
      for (; flooding; verified++) {
        const begun = performance.now();
        assert.equal(await verify(own), 204);
        slowest = Math.max(slowest, performance.now() - begun);
      }
    })();
    const fromGithub = (async () => {
      for (; flooding; reported++)
        assert.equal(await report(github.sign(body), '192.0.2.1', { agent: own }), 200);
    })();
    const begun = performance.now();
    const statuses = await sendMany(count, one);
    flooding = false;
    await Promise.all([beside, fromGithub]);
    const used = cpuOf(server) - cpu;
    const { now, peak } = memoryOf(server);
    const requests = count + verified + reported;
    t.diagnostic(
      `${what}: ${count} in ${Math.round(performance.now() - begun)} ms, ${[...statuses].map(([s, n]) => `${n} x ${s}`).join(', ')}; ` +
        `${verified} verified (slowest ${Math.round(slowest)} ms), ${reported} reports of GitHub; ` +
        `CPU ${used} ms, ${((1000 * used) / requests).toFixed(0)} us a request; ` +
        `memory ${now.toFixed(0)} MB, at most ${peak.toFixed(0)} MB; ${list.fetches - fetches} fetches`,
    );
    return statuses;
  };

  await report(github.sign(body), '192.0.2.1');
  await during('verifications alone', flood, () => verify(agents.flood));
  const rejected = await during('unknown keys', flood, (i) => report(unknown(i), addressOf(i)));
  assert.ok([...rejected.keys()].every((status) => [400, 429, 503].includes(status)));
  await during('forged signatures', flood, (i) => report(forged, addressOf(i)));
  const before = memoryOf(server).peak;
  const limited = await during('one address', flood, () => report(forged, '198.51.100.1'));
  assert.ok((limited.get(400) ?? 0) <= 240, 'at most 60 a minute');
  await during('forged signatures again', flood, (i) => report(forged, addressOf(i)));
  assert.ok(memoryOf(server).peak - before < 50, 'memory does not grow with the number of requests');
  await during('bodies of 900 kB', large, (i) => report(forged, addressOf(i), { body: filled }));
  assert.ok(
    memoryOf(server).peak - before < 2 * atOnce + 100,
    'a body is held once or twice while it is checked',
  );
  // Five minutes must pass between two fetches for unknown keys.
  assert.ok(list.fetches <= 2, `${list.fetches} fetches`);
  assert.equal(await verify(own), 204);
});
