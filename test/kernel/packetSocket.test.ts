import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { TandemError } from '../../src/errors.js';
import { burstFrameBytesMax, burstFramesMax } from '../../src/kernel/frameBurst.js';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import { openPacketSocket, type PacketSocketOptions } from '../../src/kernel/packetSocket.js';
import { rootTest } from './support/rootTest.js';
import { type VethEnd, vethPair } from './support/vethPair.js';
import { awaitReceived } from './support/waiting.js';

const etherTypeArp = 0x0806;
/** A gratuitous ARP request for 192.0.2.100 from the virtual MAC of router 51. */
const gratuitousArp = Buffer.from(
  'ffffffffffff00005e000133080600010800060400010000' + '5e000133c0000264ffffffffffffc0000264',
  'hex',
);

function open(context: TestContext, end: VethEnd, options: Partial<PacketSocketOptions>) {
  const { interfaceIndex } = end;
  const socket = end.namespace.run(() =>
    openPacketSocket({ interfaceIndex, etherType: etherTypeArp, receive: true, ...options }),
  );
  context.after(() => socket.close());
  return socket;
}

const isGratuitousArp = (frame: { bytes: Uint8Array }) => gratuitousArp.equals(frame.bytes);

rootTest('a gratuitous ARP is heard at the other end as it was sent', (context) => {
  const { left, right } = vethPair(context);
  const listener = open(context, right, {});
  const before = nowUs();
  open(context, left, { receive: false }).send(gratuitousArp);
  const frame = awaitReceived(listener, isGratuitousArp);
  assert.equal(frame.outgoing, false);
  assert.ok(frame.receivedAtUs >= before - 2_000 && frame.receivedAtUs <= nowUs());
});

rootTest('with all EtherTypes a socket sees its own frames, marked as outgoing', (context) => {
  const { left } = vethPair(context);
  const listener = open(context, left, { etherType: 'all' });
  open(context, left, { receive: false }).send(gratuitousArp);
  assert.equal(awaitReceived(listener, isGratuitousArp).outgoing, true);
});

rootTest('a socket hears its EtherType only', (context) => {
  const { left, right } = vethPair(context);
  const deaf = open(context, right, { etherType: 0x88b5 });
  const listener = open(context, right, {});
  open(context, left, { receive: false }).send(gratuitousArp);
  awaitReceived(listener, isGratuitousArp);
  assert.equal(deaf.receive(), undefined);
});

rootTest('a socket that only sends hears nothing', (context) => {
  const { left, right } = vethPair(context);
  const deaf = open(context, right, { receive: false });
  const listener = open(context, right, {});
  open(context, left, { receive: false }).send(gratuitousArp);
  awaitReceived(listener, isGratuitousArp);
  assert.equal(deaf.receive(), undefined);
});

rootTest('a socket outlives its link going down and up', (context) => {
  const { left, right } = vethPair(context);
  const sender = open(context, left, { receive: false });
  const listener = open(context, right, {});
  right.netlink.setLink('eth0', { up: false });
  assert.equal(listener.receive(), undefined);
  right.netlink.setLink('eth0', { up: true });
  sender.send(gratuitousArp);
  awaitReceived(listener, isGratuitousArp);
  left.netlink.setLink('eth0', { up: false });
  assert.throws(
    () => sender.send(gratuitousArp),
    (error) => error instanceof TandemError && error.errnoName === 'ENETDOWN',
  );
});

rootTest('frames of a burst are heard one by one in their order, however many', (context) => {
  const { left, right } = vethPair(context);
  const listener = open(context, right, {});
  const sender = open(context, left, { receive: false });
  const frames = Array.from({ length: 2 * burstFramesMax + 1 }, (_, number) =>
    Buffer.concat([gratuitousArp.subarray(0, -1), Buffer.of(number)]),
  );
  assert.ok(sender.sendAll(frames).every((error) => error === undefined));
  for (const frame of frames) {
    const heard = awaitReceived(listener, ({ bytes }) => bytes[0] === 0xff);
    assert.deepEqual(Buffer.from(heard.bytes), frame);
  }
  assert.deepEqual(sender.sendAll([]), []);
});

rootTest('each frame of a burst that is refused has its own error', (context) => {
  const { left } = vethPair(context);
  const sender = open(context, left, { receive: false });
  left.netlink.setLink('eth0', { up: false });
  const names = sender.sendAll([gratuitousArp, gratuitousArp]).map((error) => error?.errnoName);
  assert.deepEqual(names, ['ENETDOWN', 'ENETDOWN']);
  const long = Buffer.concat([gratuitousArp, Buffer.alloc(burstFrameBytesMax)]);
  assert.throws(() => sender.sendAll([long]), /a frame of 170 bytes does not go in a burst/);
});

rootTest('an interface that does not exist is an error', (context) => {
  const { left } = vethPair(context);
  assert.throws(
    () => open(context, left, { interfaceIndex: 99 }),
    (error) =>
      error instanceof TandemError && error.errnoName === 'ENODEV' && error.message.includes('99'),
  );
});
