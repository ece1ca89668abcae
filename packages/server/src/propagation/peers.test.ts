import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Peers } from './peers.ts';

function row(renewal: string, id = 'a') {
  return { id, name: `server ${id}`, ackedSeq: 1, renewal };
}

test('a node is silent since the first response that showed its current renewal', () => {
  const peers = new Peers();
  peers.observe([row('r1')], 100);
  peers.observe([row('r1')], 300);
  assert.equal(peers.silentMs('a', 350), 250);
  peers.observe([row('r2')], 500);
  assert.equal(peers.silentMs('a', 550), 50);
});

test('a renewal that reappears after a failover counts as new', () => {
  const peers = new Peers();
  peers.observe([row('r1')], 100);
  peers.observe([row('r2')], 200);
  peers.observe([row('r1')], 300);
  assert.equal(peers.silentMs('a', 350), 50);
});

test('a node that left and came back counts as new, and an unknown node is not silent', () => {
  const peers = new Peers();
  peers.observe([row('r1')], 100);
  peers.observe([row('r1', 'b')], 200);
  assert.deepEqual([peers.silentMs('a', 250), peers.row('a')], [0, undefined]);
  peers.observe([row('r1')], 300);
  assert.equal(peers.silentMs('a', 350), 50);
});

test('the rows are those of the last response, in its order', () => {
  const peers = new Peers();
  peers.observe([row('r1', 'b'), row('r1')], 100);
  peers.observe([row('r2'), row('r2', 'b')], 200);
  assert.deepEqual(peers.rows(), [row('r2'), row('r2', 'b')]);
  assert.deepEqual(peers.row('b'), row('r2', 'b'));
});
