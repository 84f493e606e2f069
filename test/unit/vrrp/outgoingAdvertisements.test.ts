import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outgoingAdvertisements } from '../../../src/vrrp/outgoingAdvertisements.js';
import type { VirtualRouterSpec } from '../../../src/vrrp/protocol.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const [own, other] = [ipAddress('fe80::101'), ipAddress('fe80::102')];

const spec: VirtualRouterSpec = {
  name: 'vip',
  vrid: 51,
  interface: 'eth0',
  priority: 100,
  advertIntervalCs: 100,
  preempt: { enabled: true, delayMs: 0 },
  addresses: [{ prefix: { address: ipAddress('fe80::100'), length: 64 }, interface: 'eth0' }],
  checksum: 'pseudo-header',
  announcements: { repeat: 5, delayMs: 0, refreshMs: 0 },
  unicast: { peers: [own, other], ttlMax: 255 },
};

test('a list of peers that has our own address sends to the others only', () => {
  const destinations = outgoingAdvertisements(spec, 100, own).map((each) => each.destination);
  assert.deepEqual(destinations, [other]);
});
