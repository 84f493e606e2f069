import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { TandemError } from '../../src/errors.js';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import { openPacketSocket } from '../../src/kernel/packetSocket.js';
import { openVrrpSocket, type VrrpSocket } from '../../src/kernel/vrrpSocket.js';
import { type IpAddress, ipAddress, ipFromBytes } from '../../src/wire/ipAddress.js';
import { rootTest } from './support/rootTest.js';
import { addCable, indexOf, type VethEnd, vethPair } from './support/vethPair.js';
import { awaitReceived, drain } from './support/waiting.js';

const message = Buffer.from('3133c8010064bf81c0000264', 'hex');
const headerBytes = 20;

function open(
  context: TestContext,
  end: VethEnd,
  name = 'eth0',
  source: IpAddress = end.address,
): VrrpSocket {
  const interfaceIndex = indexOf(end.netlink, name);
  const socket = end.namespace.run(() =>
    openVrrpSocket({ interface: name, interfaceIndex, source }),
  );
  context.after(() => socket.close());
  return socket;
}

/** The fields of an IPv4 header that a receiver of VRRP checks. */
function readHeader(bytes: Uint8Array) {
  return {
    headerBytes: ((bytes[0] ?? 0) & 0x0f) * 4,
    typeOfService: bytes[1],
    timeToLive: bytes[8],
    protocol: bytes[9],
    source: ipFromBytes(bytes.subarray(12, 16)),
    destination: ipFromBytes(bytes.subarray(16, 20)),
  };
}

rootTest('each end hears the adverts of the other and none of its own', (context) => {
  const { left, right } = vethPair(context);
  const leftSocket = open(context, left);
  const rightSocket = open(context, right);
  for (const [sender, receiver, source] of [
    [leftSocket, rightSocket, left.address],
    [rightSocket, leftSocket, right.address],
  ] as const) {
    sender.send(message);
    const packet = awaitReceived(receiver);
    assert.deepEqual(readHeader(packet.bytes), {
      headerBytes,
      typeOfService: 0xc0,
      timeToLive: 255,
      protocol: 112,
      source,
      destination: '224.0.0.18',
    });
    assert.deepEqual(Buffer.from(packet.bytes.subarray(headerBytes)), message);
    assert.equal(sender.receive(), undefined);
  }
});

rootTest('the receive time is that of the kernel, on the monotonic clock', (context) => {
  const { left, right } = vethPair(context);
  const leftSocket = open(context, left);
  const rightSocket = open(context, right);
  const before = nowUs();
  leftSocket.send(message);
  const after = nowUs();
  // The packet waits in the socket here; its stamp must not move with the time of reading.
  while (nowUs() < after + 50_000);
  const packet = awaitReceived(rightSocket);
  const toleranceUs = 2_000;
  assert.ok(
    packet.receivedAtUs >= before - toleranceUs,
    `${packet.receivedAtUs - before} us early`,
  );
  assert.ok(packet.receivedAtUs <= nowUs() - 40_000, 'the stamp is the time of reading');
  assert.equal(packet.interfaceIndex, right.interfaceIndex);
});

rootTest(
  'on the wire an advert goes to the group, from the source that was asked for',
  (context) => {
    const { left, right } = vethPair(context);
    const second = ipAddress('192.0.2.77');
    const changes = [
      {
        action: 'add',
        interfaceIndex: left.interfaceIndex,
        prefix: { address: second, length: 24 },
      },
    ] as const;
    assert.deepEqual(left.netlink.changeAddresses(changes), [undefined]);
    const capture = right.namespace.run(() =>
      openPacketSocket({ interfaceIndex: right.interfaceIndex, etherType: 'all', receive: true }),
    );
    context.after(() => capture.close());
    open(context, left, 'eth0', second).send(message);
    const isVrrp = (frame: { bytes: Uint8Array }) =>
      frame.bytes[12] === 8 && frame.bytes[23] === 112;
    const { bytes } = awaitReceived(capture, isVrrp);
    const macAddress = left.netlink.link('eth0')?.macAddress ?? new Uint8Array(0);
    assert.equal(Buffer.from(bytes.subarray(0, 6)).toString('hex'), '01005e000012');
    assert.deepEqual(bytes.slice(6, 12), macAddress);
    const header = readHeader(bytes.subarray(14));
    assert.equal(header.source, second);
    assert.equal(header.destination, '224.0.0.18');
    assert.equal(header.timeToLive, 255);
    assert.equal(header.typeOfService, 0xc0);
  },
);

rootTest('an advert can go to one peer, with TTL 255', (context) => {
  const { left, right } = vethPair(context);
  const rightSocket = open(context, right);
  open(context, left).send(message, right.address);
  const header = readHeader(awaitReceived(rightSocket).bytes);
  assert.equal(header.destination, right.address);
  assert.equal(header.timeToLive, 255);
});

rootTest('a socket hears its own interface only', (context) => {
  const { left, right } = vethPair(context);
  addCable(left.netlink, right.namespace, right.netlink, 'eth1');
  const source = ipAddress('198.51.100.1');
  const interfaceIndex = indexOf(left.netlink, 'eth1');
  left.netlink.changeAddresses([
    { action: 'add', interfaceIndex, prefix: { address: source, length: 24 } },
  ]);
  const firstSocket = open(context, right, 'eth0');
  const secondSocket = open(context, right, 'eth1');
  open(context, left, 'eth1', source).send(message);
  assert.equal(readHeader(awaitReceived(secondSocket).bytes).source, source);
  assert.equal(firstSocket.receive(), undefined);
});

rootTest('the group is joined on the interface, and left on close', (context) => {
  const { left } = vethPair(context);
  const groupOf = () =>
    left.namespace
      .run(() => readFileSync('/proc/thread-self/net/igmp', 'utf8'))
      .includes('120000E0');
  assert.equal(groupOf(), false);
  const interfaceIndex = left.interfaceIndex;
  const socket = left.namespace.run(() =>
    openVrrpSocket({ interface: 'eth0', interfaceIndex, source: left.address }),
  );
  assert.equal(groupOf(), true);
  socket.close();
  assert.equal(groupOf(), false);
});

rootTest(
  'sending on a link that is down fails with its errno and works once it is up',
  (context) => {
    const { left, right } = vethPair(context);
    const leftSocket = open(context, left);
    const rightSocket = open(context, right);
    left.netlink.setLink('eth0', { up: false });
    assert.equal(leftSocket.receive(), undefined);
    assert.throws(
      () => leftSocket.send(message),
      (error) =>
        error instanceof TandemError &&
        error.code === 'SYSTEM_CALL' &&
        ['ENETDOWN', 'ENETUNREACH'].includes(error.errnoName ?? '') &&
        error.message.includes('eth0'),
    );
    left.netlink.setLink('eth0', { up: true });
    leftSocket.send(message);
    assert.equal(awaitReceived(rightSocket).bytes.length, headerBytes + message.length);
  },
);

rootTest('what the kernel drops for want of room is counted', (context) => {
  const { left, right } = vethPair(context);
  const leftSocket = open(context, left);
  const rightSocket = open(context, right);
  const sent = 20_000;
  for (let count = 0; count < sent; count += 1) leftSocket.send(message);
  const heard = drain(rightSocket).length;
  assert.ok(heard > 255, `only ${heard} packets fit into the socket`);
  assert.ok(heard < sent, 'the buffer has no bound');
  // The count travels with the packets that came after the loss.
  leftSocket.send(message);
  awaitReceived(rightSocket);
  assert.equal(rightSocket.dropped, sent - heard);
});

rootTest('an interface that does not exist is named in the error', (context) => {
  const { left } = vethPair(context);
  const options = { interface: 'eth9', interfaceIndex: 99, source: left.address };
  assert.throws(
    () => left.namespace.run(() => openVrrpSocket(options)),
    (error) =>
      error instanceof TandemError &&
      error.code === 'SYSTEM_CALL' &&
      error.errnoName === 'ENODEV' &&
      error.message.includes('SO_BINDTODEVICE') &&
      error.message.includes('eth9') &&
      error.hint.includes('eth9'),
  );
});
