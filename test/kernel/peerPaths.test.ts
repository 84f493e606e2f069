/** The channel between two network namespaces, whose cables are cut. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { PeerSettings } from '../../src/peer/protocol.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { makeSettings, WatchedPeer } from '../unit/peer/support.js';
import { rootTest } from './support/rootTest.js';
import { addCable, indexOf, type VethEnd, vethPair } from './support/vethPair.js';

const port = 8850;

/** The address of an end on the n-th cable, counted from 1; the first is there already. */
function addressOn(cable: number, end: 1 | 2) {
  return ipAddress(cable === 1 ? `192.0.2.${end}` : `198.51.100.${end}`);
}

/** Starts both ends on so many cables. */
function startPair(t: TestContext, left: VethEnd, right: VethEnd, cables: number) {
  const start = (node: 'lb1' | 'lb2', own: 1 | 2, peer: 1 | 2, { namespace }: VethEnd) => {
    const paths: PeerSettings['paths'] = Array.from({ length: cables }, (_, index) => ({
      own: addressOn(index + 1, own),
      peer: addressOn(index + 1, peer),
    }));
    return new WatchedPeer(t, makeSettings(node, port, { paths }), namespace.path);
  };
  return { lb1: start('lb1', 1, 2, left), lb2: start('lb2', 2, 1, right) };
}

function addSecondCable(left: VethEnd, right: VethEnd): void {
  addCable(left.netlink, right.namespace, right.netlink, 'eth1');
  for (const [end, number] of [
    [left, 1],
    [right, 2],
  ] as const) {
    const interfaceIndex = indexOf(end.netlink, 'eth1');
    const prefix = { address: addressOn(2, number), length: 24 };
    const [error] = end.netlink.changeAddresses([{ action: 'add', interfaceIndex, prefix }]);
    if (error !== undefined) throw error;
  }
}

rootTest('a cut cable is noticed by both ends, and the mended one is used again', async (t) => {
  const { left, right } = vethPair(t);
  const { lb1, lb2 } = startPair(t, left, right, 1);
  await Promise.all([lb1.connected(), lb2.connected()]);
  left.netlink.setLink('eth0', { up: false });
  const isTimeout = ({ counters }: { counters: { heartbeatTimeouts: number } }) =>
    counters.heartbeatTimeouts === 1;
  await Promise.all([
    lb1.waitFor('the time-out here', isTimeout),
    lb2.waitFor('the time-out there', isTimeout),
  ]);
  assert.equal(lb1.report?.connected, false);
  assert.equal(lb2.report?.connected, false);
  left.netlink.setLink('eth0', { up: true });
  await Promise.all([lb1.connected(2), lb2.connected(2)]);
});

rootTest('when one path fails the other is taken, by itself', async (t) => {
  const { left, right } = vethPair(t);
  addSecondCable(left, right);
  const { lb1, lb2 } = startPair(t, left, right, 2);
  const endpoints = [1, 2].map((cable) => `${addressOn(cable, 2)}:${port}`);
  // It may be the second, when the listener was not quite there at the first attempt.
  const used = endpoints.indexOf((await lb1.connected()).address ?? '');
  assert.notEqual(used, -1);
  left.netlink.setLink(`eth${used}`, { up: false });
  assert.equal((await lb1.connected(2)).address, endpoints[1 - used]);
  const address = (await lb2.connected(2)).address ?? '';
  assert.ok(address.startsWith(`${addressOn(2 - used, 1)}:`), address);
});

rootTest('who listens waits for its address to be there', async (t) => {
  const { left, right } = vethPair(t);
  const prefix = { address: addressOn(1, 2), length: 24 };
  const { interfaceIndex } = right;
  right.netlink.changeAddresses([{ action: 'delete', interfaceIndex, prefix }]);
  const { lb1, lb2 } = startPair(t, left, right, 1);
  const { detail } = await lb2.waitFor('a failure', ({ reason }) => reason === 'unreachable');
  assert.equal(detail, 'cannot listen on 192.0.2.2: EADDRNOTAVAIL');
  right.netlink.changeAddresses([{ action: 'add', interfaceIndex, prefix }]);
  await Promise.all([lb1.connected(), lb2.connected()]);
});
