import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ArpMessage,
  decodeArp,
  encodeArp,
  encodeGratuitousArp,
} from '../../../src/wire/arp.js';
import {
  broadcastMacAddress,
  decodeEthernetFrame,
  encodeEthernetFrame,
  etherTypeArp,
  formatMacAddress,
  ipv4MulticastMacAddress,
  virtualRouterMacAddress,
} from '../../../src/wire/ethernet.js';
import { ipAddress, ipFromBytes } from '../../../src/wire/ipAddress.js';
import { vrrpGroupIpv4 } from '../../../src/wire/vrrp.js';
import { WireError } from '../../../src/wire/wireError.js';
import { vector } from './vectors.js';

const virtualAddress = ipAddress('192.0.2.100');
const virtualMac = virtualRouterMacAddress(4, 51);

for (const [name, form] of [
  ['GARP-req-ff', 'request-broadcast'],
  ['GARP-req-vmac', 'request-sender'],
  ['GARP-reply', 'reply'],
] as const) {
  test(`a gratuitous ARP of form ${form} is the frame of vector ${name}`, () => {
    const frame = encodeGratuitousArp(virtualAddress, virtualMac, form);
    assert.equal(Buffer.from(frame).toString('hex'), vector(name).frame.toString('hex'));
  });

  test(`vector ${name} decodes to the virtual address at the virtual MAC address`, () => {
    const frame = decodeEthernetFrame(vector(name).frame);
    assert.equal(frame.etherType, etherTypeArp);
    assert.deepEqual(new Uint8Array(frame.destination), broadcastMacAddress);
    const message = decodeArp(frame.payload);
    assert.equal(message.operation, form === 'reply' ? 'reply' : 'request');
    assert.equal(message.senderAddress, virtualAddress);
    assert.equal(message.targetAddress, virtualAddress);
    assert.equal(formatMacAddress(message.senderMacAddress), '00:00:5e:00:01:33');
  });
}

test('the group address 224.0.0.18 has the multicast MAC address of RFC 1112', () => {
  const mac = ipv4MulticastMacAddress(vrrpGroupIpv4);
  assert.equal(formatMacAddress(mac), '01:00:5e:00:00:12');
  assert.equal(
    formatMacAddress(ipv4MulticastMacAddress(ipAddress('239.129.2.3'))),
    '01:00:5e:01:02:03',
  );
  assert.throws(() => ipv4MulticastMacAddress(ipAddress('192.0.2.1')), WireError);
});

test('the virtual MAC address of IPv6 differs from that of IPv4', () => {
  assert.equal(formatMacAddress(virtualRouterMacAddress(6, 255)), '00:00:5e:00:02:ff');
});

const macAddress = fc.uint8Array({ minLength: 6, maxLength: 6 });
const address = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes);
const arpMessage: fc.Arbitrary<ArpMessage> = fc.record(
  {
    operation: fc.constantFrom('request', 'reply'),
    senderMacAddress: macAddress,
    senderAddress: address,
    targetMacAddress: macAddress,
    targetAddress: address,
  },
  { noNullPrototype: true },
);

test('every ARP message decodes to what was encoded, with padding behind it or without', () => {
  fc.assert(
    fc.property(arpMessage, fc.nat(18), (message, padding) => {
      const bytes = Buffer.concat([encodeArp(message), Buffer.alloc(padding)]);
      assert.deepEqual(decodeArp(new Uint8Array(bytes)), message);
    }),
  );
});

test('every Ethernet frame decodes to what was encoded', () => {
  const frames = fc.record(
    {
      destination: macAddress,
      source: macAddress,
      etherType: fc.nat(0xffff),
      payload: fc.uint8Array({ maxLength: 80 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(frames, (frame) => {
      assert.deepEqual(decodeEthernetFrame(encodeEthernetFrame(frame)), frame);
    }),
  );
});

test('random bytes make the ARP decoder throw nothing but its own error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decodeArp(bytes);
        decodeEthernetFrame(bytes);
      } catch (error) {
        assert.ok(error instanceof WireError);
      }
    }),
  );
});

test('an ARP message for another hardware, protocol, length or operation is refused', () => {
  for (const index of [1, 2, 4, 5, 7]) {
    const bytes = Buffer.from(vector('GARP-reply').message);
    bytes[index] = 0x63;
    assert.throws(() => decodeArp(bytes), WireError, `byte ${index}`);
  }
});

test('an IPv6 address does not fit into ARP', () => {
  const mac = virtualMac;
  assert.throws(() => encodeGratuitousArp(ipAddress('2001:db8::1'), mac, 'reply'), WireError);
});
