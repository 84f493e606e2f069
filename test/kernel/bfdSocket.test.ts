import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { TandemError } from '../../src/errors.js';
import {
  type BfdListenerOptions,
  openBfdListener,
  openBfdSender,
} from '../../src/kernel/bfdSocket.js';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import { openPacketSocket } from '../../src/kernel/packetSocket.js';
import { familyOf, type IpAddress, ipAddress } from '../../src/wire/ipAddress.js';
import { decodeIpv4Packet } from '../../src/wire/ipv4Header.js';
import { rootTest } from './support/rootTest.js';
import { takeBfdPort } from './support/takenPort.js';
import { addCable, indexOf, type VethEnd, vethPair } from './support/vethPair.js';
import { awaitReceived } from './support/waiting.js';

const packet = Buffer.from('204003181122334400000000000f42400000c35000000000', 'hex');

function listen(context: TestContext, end: VethEnd, options: Partial<BfdListenerOptions> = {}) {
  const whole = { hops: 'single', family: 4, interface: 'eth0', ...options } as BfdListenerOptions;
  const listener = end.namespace.run(() => openBfdListener(whole));
  context.after(() => listener.close());
  return listener;
}

function sender(
  context: TestContext,
  end: VethEnd,
  peer: IpAddress,
  changes: { source?: IpAddress; multihop?: boolean; interface?: string; portChoice?: number } = {},
) {
  const name = changes.interface ?? 'eth0';
  const options = {
    source: end.address,
    peer,
    multihop: false,
    interface: name,
    interfaceIndex: indexOf(end.netlink, name),
    portChoice: 7,
    ...changes,
  };
  const opened = end.namespace.run(() => openBfdSender(options));
  context.after(() => opened.close());
  return opened;
}

/** Gives both ends an IPv6 address that can be used at once. */
function addIpv6(left: VethEnd, right: VethEnd, prefix: string): readonly [IpAddress, IpAddress] {
  const addresses = [ipAddress(`${prefix}::1`), ipAddress(`${prefix}::2`)] as const;
  for (const [index, end] of [left, right].entries()) {
    const address = addresses[index] ?? addresses[0];
    const change = { interfaceIndex: end.interfaceIndex, prefix: { address, length: 64 } };
    assert.deepEqual(end.netlink.changeAddresses([{ action: 'add', ...change }]), [undefined]);
  }
  return addresses;
}

rootTest('a packet arrives with its source and TTL 255', (context) => {
  const { left, right } = vethPair(context);
  const listener = listen(context, right);
  sender(context, left, right.address).send(packet);
  const received = awaitReceived(listener);
  assert.deepEqual(Buffer.from(received.bytes), packet);
  assert.equal(received.source, left.address);
  assert.equal(received.timeToLive, 255);
  assert.equal(listener.receive(), undefined);
});

rootTest('the receive time is that of the kernel, not that of reading', (context) => {
  const { left, right } = vethPair(context);
  const listener = listen(context, right);
  const socket = sender(context, left, right.address);
  const toleranceUs = 2_000;
  // The kernel begins to stamp a little after the first socket of the machine has asked for it.
  for (let attempt = 1; ; attempt += 1) {
    const before = nowUs();
    socket.send(packet);
    const after = nowUs();
    while (nowUs() < after + 50_000);
    const { receivedAtUs } = awaitReceived(listener);
    assert.ok(receivedAtUs >= before - toleranceUs, `${before - receivedAtUs} us early`);
    if (receivedAtUs <= nowUs() - 40_000) break;
    assert.ok(attempt < 20, 'the stamp is the time of reading');
  }
});

rootTest('every session sends from a port of its own in the range of RFC 5881', (context) => {
  const { left, right } = vethPair(context);
  const ports = [0, 0, 16_383, 2 ** 32 - 1].map(
    (portChoice) => sender(context, left, right.address, { portChoice }).port,
  );
  assert.equal(new Set(ports).size, ports.length);
  for (const port of ports) assert.ok(port >= 49_152 && port <= 65_535, `port ${port}`);
});

rootTest(
  'on the wire a packet has the ports of its session and is marked as control',
  (context) => {
    const { left, right } = vethPair(context);
    const capture = right.namespace.run(() =>
      openPacketSocket({ interfaceIndex: right.interfaceIndex, etherType: 'all', receive: true }),
    );
    context.after(() => capture.close());
    for (const [multihop, port] of [
      [false, 3784],
      [true, 4784],
    ] as const) {
      const socket = sender(context, left, right.address, { multihop });
      socket.send(packet);
      const isUdp = (frame: { bytes: Uint8Array }) =>
        frame.bytes[12] === 8 && frame.bytes[23] === 17;
      const ip = decodeIpv4Packet(awaitReceived(capture, isUdp).bytes.subarray(14));
      const udp = Buffer.from(ip.payload);
      assert.deepEqual([udp.readUInt16BE(0), udp.readUInt16BE(2)], [socket.port, port]);
      assert.deepEqual([ip.timeToLive, ip.typeOfService], [255, 0xc0]);
    }
  },
);

for (const prefix of ['2001:db8', 'fe80']) {
  rootTest(`IPv6 works as well, with addresses of ${prefix}::/64`, (context) => {
    const { left, right } = vethPair(context);
    const [source, peer] = addIpv6(left, right, prefix);
    const listener = listen(context, right, { family: 6 });
    sender(context, left, peer, { source }).send(packet);
    const received = awaitReceived(listener);
    assert.equal(received.source, source);
    assert.equal(familyOf(received.source), 6);
    assert.equal(received.timeToLive, 255);
  });
}

rootTest('a single-hop listener hears its own interface only', (context) => {
  const { left, right } = vethPair(context);
  addCable(left.netlink, right.namespace, right.netlink, 'eth1');
  const source = ipAddress('198.51.100.1');
  const peer = ipAddress('198.51.100.2');
  for (const [end, address] of [
    [left, source],
    [right, peer],
  ] as const) {
    const interfaceIndex = indexOf(end.netlink, 'eth1');
    end.netlink.changeAddresses([
      { action: 'add', interfaceIndex, prefix: { address, length: 24 } },
    ]);
  }
  const first = listen(context, right);
  const second = listen(context, right, { interface: 'eth1' });
  sender(context, left, peer, { source, interface: 'eth1' }).send(packet);
  assert.equal(awaitReceived(second).source, source);
  assert.equal(first.receive(), undefined);
});

rootTest('a multihop listener hears what is for its address and tells the TTL', (context) => {
  const { left, right } = vethPair(context);
  const { interfaceIndex } = right;
  const listener = listen(context, right, { hops: 'multi', source: right.address, interfaceIndex });
  sender(context, left, right.address, { multihop: true }).send(packet);
  assert.equal(awaitReceived(listener).timeToLive, 255);
});

rootTest('a port that another program has is named in the error', (context) => {
  const { right } = vethPair(context);
  takeBfdPort(context, right.namespace);
  assert.throws(
    () => listen(context, right),
    (error) =>
      error instanceof TandemError &&
      error.errnoName === 'EADDRINUSE' &&
      error.message.includes('port 3784') &&
      error.hint.includes('ss -ulpn'),
  );
});

rootTest('of two listeners the later one hears, so that a thread can be replaced', (context) => {
  const { left, right } = vethPair(context);
  const abandoned = listen(context, right);
  const listener = listen(context, right);
  sender(context, left, right.address).send(packet);
  awaitReceived(listener);
  assert.equal(abandoned.receive(), undefined);
});

rootTest('an address that the interface does not have is named in the error', (context) => {
  const { left, right } = vethPair(context);
  assert.throws(
    () => sender(context, left, right.address, { source: ipAddress('192.0.2.99') }),
    (error) => error instanceof TandemError && error.errnoName === 'EADDRNOTAVAIL',
  );
});
