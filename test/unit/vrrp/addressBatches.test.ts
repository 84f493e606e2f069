import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressBatches, addressesPerBatch } from '../../../src/vrrp/addressBatches.js';
import type { RouterEffect } from '../../../src/vrrp/election.js';
import { wireKey } from '../../../src/vrrp/reconfiguration.js';
import { makeSpec, virtualAddress } from './support.js';

type Move = RouterEffect<'add-addresses' | 'remove-addresses'>;

function move(type: Move['type'], vrid: number, count: number): Move {
  const addresses = Array.from({ length: count }, (_, index) =>
    virtualAddress(`10.${vrid}.${index >> 8}.${index & 255}`),
  );
  const spec = makeSpec({ vrid, addresses });
  return { type, addresses, router: wireKey('eth0', 4, vrid), spec };
}

const sizes = (moves: readonly Move[]): readonly (readonly number[])[] =>
  addressBatches(moves).map((batch) => batch.map(({ addresses }) => addresses.length));

test('routers that become Active together are taken a few at a time, in their order', () => {
  const four = [1, 2, 3, 4].map((vrid) => move('add-addresses', vrid, 250));
  assert.deepEqual(sizes(four), [[250], [250], [250], [250]]);
  assert.deepEqual(addressBatches(four).flat(), four);
});

test('small routers share a batch, and a batch has its bound', () => {
  const many = Array.from({ length: 255 }, (_, index) => move('add-addresses', index + 1, 4));
  const batches = addressBatches(many);
  assert.deepEqual(batches.flat(), many);
  assert.equal(batches.length, 4);
  for (const batch of batches) {
    const total = batch.reduce((sum, { addresses }) => sum + addresses.length, 0);
    assert.ok(total <= addressesPerBatch);
  }
});

test('a router is never divided', () => {
  const large = move('add-addresses', 1, addressesPerBatch + 50);
  assert.deepEqual(sizes([large, move('add-addresses', 2, 1)]), [[addressesPerBatch + 50], [1]]);
});

test('where addresses are removed all move in one batch: one may change its router', () => {
  const moves = [move('remove-addresses', 1, 200), move('add-addresses', 2, 200)];
  assert.deepEqual(addressBatches(moves), [moves]);
});

test('without any move there is no batch', () => {
  assert.deepEqual(addressBatches([]), []);
});
