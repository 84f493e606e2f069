import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import {
  batchDatagramBytesMax,
  batchDatagramsMax,
  DatagramBatch,
} from '../../../src/kernel/datagramBatch.js';
import { descriptorOfDatagramSocket } from '../../../src/kernel/datagramDescriptor.js';
import { encodeSocketAddress } from '../../../src/kernel/internetAddress.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const loopback = ipAddress('127.0.0.1');
const errnoTryAgain = 11;

async function bound(context: TestContext): Promise<{ socket: Socket; fd: number; name: string }> {
  const socket = createSocket('udp4');
  context.after(() => socket.close());
  socket.bind(0, loopback);
  await once(socket, 'listening');
  const fd = descriptorOfDatagramSocket(socket);
  assert.ok(fd !== undefined, 'Node tells the descriptor of a socket no more');
  return { socket, fd, name: `127.0.0.1:${socket.address().port}` };
}

test('what one call sends one call receives, in order and with its sender', async (t) => {
  const [sender, receiver] = [await bound(t), await bound(t)];
  const target = encodeSocketAddress(loopback, receiver.socket.address().port);
  const batch = new DatagramBatch();
  const sent = Array.from({ length: batchDatagramsMax }, (_, index) =>
    new Uint8Array(1 + ((index * 97) % 1_400)).fill(index),
  );
  for (const [index, datagram] of sent.entries()) batch.put(index, datagram, target);
  assert.equal(batch.send(sender.fd, 0, sent.length), sent.length);
  // On the loopback they are there when the call returns.
  const other = new DatagramBatch();
  assert.equal(other.receive(receiver.fd), sent.length);
  for (const [index, datagram] of sent.entries()) {
    assert.deepEqual(other.datagram(index), datagram);
    assert.equal(other.sender(index), sender.name);
  }
  assert.equal(other.receive(receiver.fd), -errnoTryAgain);
});

test('the senders of one batch are told apart', async (t) => {
  const [one, two, receiver] = [await bound(t), await bound(t), await bound(t)];
  const target = encodeSocketAddress(loopback, receiver.socket.address().port);
  const batch = new DatagramBatch();
  for (const index of [0, 1]) batch.put(index, Uint8Array.of(index), target);
  assert.deepEqual([batch.send(one.fd, 0, 1), batch.send(two.fd, 1, 2)], [1, 1]);
  const received = new DatagramBatch();
  assert.equal(received.receive(receiver.fd), 2);
  assert.deepEqual([received.sender(0), received.sender(1)], [one.name, two.name]);
});

test('a datagram that is too long for a batch is refused', () => {
  const batch = new DatagramBatch();
  const target = encodeSocketAddress(loopback, 9);
  assert.throws(() => batch.put(0, new Uint8Array(batchDatagramBytesMax + 1), target), RangeError);
});
