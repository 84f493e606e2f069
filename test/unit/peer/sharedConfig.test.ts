import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedConfig } from '../../../src/peer/sharedConfig.js';
import { makeSpec, virtualAddress } from '../vrrp/support.js';

const outside = makeSpec({
  addresses: [virtualAddress('192.0.2.101/24'), virtualAddress('192.0.2.100/24')],
});
const inside = makeSpec({ name: 'inside', vrid: 52, interface: 'eth1' });

test('the shared part is readable, in the order of the addresses', () => {
  const [router] = sharedConfig([outside]).routers;
  assert.deepEqual(router?.values, {
    version: '3',
    authentication: 'none',
    advertInterval: '1s',
    preempt: 'yes',
  });
  assert.deepEqual(router?.addresses, ['192.0.2.100/24', '192.0.2.101/24']);
});

test('the order of the file does not change the digest', () => {
  const turned = { ...outside, addresses: [...outside.addresses].reverse() };
  const there = sharedConfig([inside, turned]);
  assert.equal(sharedConfig([outside, inside]).digest, there.digest);
});

test('what belongs to one node does not change the digest', () => {
  const there = { ...outside, priority: 7, interface: 'ens3' };
  assert.equal(sharedConfig([outside]).digest, sharedConfig([there]).digest);
});

const changes = [
  { name: 'other' },
  { vrid: 99 },
  { advertIntervalCs: 10 },
  { preempt: { enabled: false, delayMs: 0 } },
  { preempt: { enabled: true, delayMs: 5_000 } },
  { version: 2 },
  { password: 'secret' },
  { addresses: [virtualAddress('192.0.2.100/24')] },
  { addresses: [virtualAddress('192.0.2.100/25'), virtualAddress('192.0.2.101/24')] },
] as const;

for (const change of changes) {
  test(`another ${Object.keys(change).join()} (${JSON.stringify(change)}) changes it`, () => {
    const there = sharedConfig([makeSpec({ ...outside, ...change })]);
    assert.notEqual(sharedConfig([outside]).digest, there.digest);
  });
}

test('a password is never in what the peer is told', () => {
  const text = JSON.stringify(sharedConfig([makeSpec({ version: 2, password: 's3cr3t' })]));
  assert.ok(!text.includes('s3cr3t'));
  assert.ok(text.includes('"authentication":"password"'));
});
