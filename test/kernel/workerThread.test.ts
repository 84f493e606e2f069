import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { openVrrpSocket } from '../../src/kernel/vrrpSocket.js';
import { createWakeEvent, signalWakeEvent } from '../../src/kernel/wakeEvent.js';
import { ipFromBytes } from '../../src/wire/ipAddress.js';
import { rootTest } from './support/rootTest.js';
import { vethPair } from './support/vethPair.js';
import { awaitReceived } from './support/waiting.js';

rootTest(
  'sockets, netlink and namespaces work in a worker thread beside the main one',
  async (context) => {
    const { left, right } = vethPair(context);
    const home = readlinkSync('/proc/thread-self/ns/net');
    const wakeEvent = createWakeEvent();
    context.after(() => wakeEvent.close());
    const socket = left.namespace.run(() =>
      openVrrpSocket({
        interface: 'eth0',
        interfaceIndex: left.interfaceIndex,
        source: left.address,
      }),
    );
    context.after(() => socket.close());
    const worker = new Worker(new URL('./support/vrrpWorker.js', import.meta.url), {
      workerData: { namespaceName: right.namespace.name, wakeFd: wakeEvent.fd },
    });
    const ended = once(worker, 'exit');
    const [ready] = await once(worker, 'message');
    assert.deepEqual(ready.errors, []);
    assert.ok(ready.events.includes('address'));
    const message = Buffer.from('3133c8010064bf81c0000264', 'hex');
    socket.send(message);
    const answer = awaitReceived(socket);
    assert.equal(ipFromBytes(answer.bytes.subarray(12, 16)), '192.0.2.3');
    assert.deepEqual(Buffer.from(answer.bytes.subarray(20)), message);
    assert.equal(readlinkSync('/proc/thread-self/ns/net'), home);
    signalWakeEvent(wakeEvent.fd);
    assert.deepEqual(await ended, [0]);
  },
);
