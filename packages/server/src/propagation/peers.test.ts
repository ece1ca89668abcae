import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Peers } from './peers.ts';

function row(renewal: string, id = 'a') {
  return { id, name: `server ${id}`, ackedSeq: 1, renewal };
}

test('a node is silent since the first response that showed its current renewal', () => {
  const neighbours = new Peers();
  neighbours.observe([row('r1')], 100);
  neighbours.observe([row('r1')], 300);
  assert.equal(neighbours.silentMs('a', 350), 250);
  neighbours.observe([row('r2')], 500);
  assert.equal(neighbours.silentMs('a', 550), 50);
});

test('a renewal that reappears after a failover counts as new', () => {
  const neighbours = new Peers();
  neighbours.observe([row('r1')], 100);
  neighbours.observe([row('r2')], 200);
  neighbours.observe([row('r1')], 300);
  assert.equal(neighbours.silentMs('a', 350), 50);
});

test('a node that left and came back counts as new, and an unknown node is not silent', () => {
  const neighbours = new Peers();
  neighbours.observe([row('r1')], 100);
  neighbours.observe([row('r1', 'b')], 200);
  assert.deepEqual([neighbours.silentMs('a', 250), neighbours.row('a')], [0, undefined]);
  neighbours.observe([row('r1')], 300);
  assert.equal(neighbours.silentMs('a', 350), 50);
});

test('the rows are those of the last response, in its order', () => {
  const neighbours = new Peers();
  neighbours.observe([row('r1', 'b'), row('r1')], 100);
  neighbours.observe([row('r2'), row('r2', 'b')], 200);
  assert.deepEqual(neighbours.rows(), [row('r2'), row('r2', 'b')]);
  assert.deepEqual(neighbours.row('b'), row('r2', 'b'));
});
