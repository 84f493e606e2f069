import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advertisementWarnings } from '../../../src/vrrp/advertisementWarnings.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import type { Advertisement } from '../../../src/wire/vrrp.js';
import { makeSpec, virtualAddress } from './support.js';

const spec = makeSpec({
  addresses: [virtualAddress('192.0.2.100/24'), virtualAddress('192.0.2.101/24')],
});
const agreeing: Advertisement = {
  vrid: 51,
  priority: 200,
  advertIntervalCs: 100,
  addresses: [ipAddress('192.0.2.101'), ipAddress('192.0.2.100')],
};

test('a peer that is configured alike causes no warning, whatever the order of addresses', () => {
  assert.deepEqual(advertisementWarnings(spec, agreeing, 'pseudo-header'), []);
});

for (const [what, changes, warning] of [
  ['one address less', { addresses: agreeing.addresses.slice(1) }, 'address-list-differs'],
  [
    'another address',
    { addresses: [ipAddress('192.0.2.1'), ipAddress('192.0.2.100')] },
    'address-list-differs',
  ],
  ['another interval', { advertIntervalCs: 50 }, 'interval-differs'],
] as const) {
  test(`a peer with ${what} causes the warning ${warning}`, () => {
    const advertisement = { ...agreeing, ...changes };
    assert.deepEqual(advertisementWarnings(spec, advertisement, 'pseudo-header'), [warning]);
  });
}

test('a peer that sends the other checksum form causes a warning', () => {
  assert.deepEqual(advertisementWarnings(spec, agreeing, 'plain'), ['checksum-form-differs']);
});

test('the interval of a resignation does not matter', () => {
  const leaving = { ...agreeing, priority: 0, advertIntervalCs: 50 };
  assert.deepEqual(advertisementWarnings(spec, leaving, 'pseudo-header'), []);
});

test('a second owner causes a warning at an owner only', () => {
  const owner = { ...agreeing, priority: 255 };
  assert.deepEqual(advertisementWarnings(spec, owner, 'pseudo-header'), []);
  assert.deepEqual(advertisementWarnings({ ...spec, priority: 255 }, owner, 'pseudo-header'), [
    'second-owner',
  ]);
});
