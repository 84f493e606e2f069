/** What is rehearsed must neither be said nor done. */
import assert from 'node:assert/strict';
import { openPacketSocket } from '../../src/kernel/packetSocket.js';
import { openVrrpSocket } from '../../src/kernel/vrrpSocket.js';
import type { VirtualRouterSpec } from '../../src/vrrp/protocol.js';
import { rehearsePromotion } from '../../src/vrrp/rehearsal.js';
import { StandbyRelease } from '../../src/vrrp/release.js';
import { encodeGratuitousArp } from '../../src/wire/arp.js';
import { etherTypeArp } from '../../src/wire/ethernet.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { vrrpGroup } from '../../src/wire/vrrp.js';
import { rootTest } from './support/rootTest.js';
import { indexOf, vethPair } from './support/vethPair.js';
import { awaitReceived } from './support/waiting.js';

const message = Buffer.from('3133c8010064bf81c0000264', 'hex');
const virtual = { address: ipAddress('192.0.2.100'), length: 24 };

rootTest('a rehearsed advertisement and a rehearsed announcement are not sent', (context) => {
  const { left, right } = vethPair(context);
  const [interfaceIndex, source] = [indexOf(left.netlink, 'eth0'), left.address];
  const sender = left.namespace.run(() =>
    openVrrpSocket({ interface: 'eth0', interfaceIndex, source, listens: false }),
  );
  const announcer = left.namespace.run(() =>
    openPacketSocket({ interfaceIndex, etherType: etherTypeArp, receive: false }),
  );
  const receiver = right.namespace.run(() => {
    const options = { interfaceIndex: indexOf(right.netlink, 'eth0'), receive: true } as const;
    return openPacketSocket({ ...options, etherType: 'all' });
  });
  context.after(() => {
    for (const socket of [sender, announcer, receiver]) socket.close();
  });
  const frame = encodeGratuitousArp(virtual.address, new Uint8Array(6), 'request-broadcast');
  sender.rehearse(message, vrrpGroup(4), source);
  announcer.rehearse([frame, frame]);
  sender.send(message);
  announcer.send(frame);
  // Frames of one cable come in their order: nothing of ours was before these two.
  const types = [];
  while (types.length < 2) {
    const { bytes } = awaitReceived(receiver);
    const type = Buffer.from(bytes).readUInt16BE(12);
    if (type === etherTypeArp || bytes[23] === 112) types.push(type);
  }
  assert.deepEqual(types, [0x0800, etherTypeArp]);
  assert.equal(sender.receive(), undefined, 'what only sends hears nothing');
});

rootTest('a rehearsed promotion and a release that stands by change no address', (context) => {
  const { left } = vethPair(context);
  const interfaceIndex = indexOf(left.netlink, 'eth0');
  left.netlink.changeAddresses([{ action: 'add', interfaceIndex, prefix: virtual }]);
  const router: VirtualRouterSpec = {
    name: 'vip',
    vrid: 51,
    interface: 'eth0',
    priority: 100,
    advertIntervalCs: 100,
    preempt: { enabled: true, delayMs: 0 },
    addresses: [{ prefix: virtual, interface: 'eth0' }],
    checksum: 'pseudo-header',
    announcements: { repeat: 5, delayMs: 5_000, refreshMs: 60_000 },
  };
  const addresses = () => left.netlink.addresses().map(({ prefix }) => prefix.address);
  const before = addresses();
  assert.ok(before.includes(virtual.address));
  left.namespace.run(() => {
    rehearsePromotion();
    const standby = new StandbyRelease({ routers: [router], syncGroups: [] });
    assert.deepEqual(addresses(), before);
    const { resigned, removed } = standby.release();
    standby.close();
    assert.deepEqual(resigned, ['vip']);
    assert.deepEqual(removed, [{ prefix: virtual, interface: 'eth0' }]);
  });
  assert.ok(!addresses().includes(virtual.address), 'the release itself takes it off');
});

rootTest('a change that was prepared is made as any other, and not before', (context) => {
  const { left } = vethPair(context);
  const interfaceIndex = indexOf(left.netlink, 'eth0');
  const change = { kind: 'address', action: 'add', interfaceIndex, prefix: virtual } as const;
  const has = () =>
    left.netlink.addresses().some(({ prefix }) => prefix.address === virtual.address);
  left.netlink.prepare([change]);
  assert.equal(has(), false);
  assert.deepEqual(left.netlink.change([change]), ['done']);
  assert.equal(has(), true);
  assert.deepEqual(left.netlink.change([change]), ['already']);
});
