import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import { pollReadable } from '../../src/kernel/pollLoop.js';
import {
  openRouteMonitor,
  type RouteEvent,
  type RouteMonitor,
} from '../../src/kernel/routeNetlink.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { rootTest } from './support/rootTest.js';
import { type VethEnd, vethPair } from './support/vethPair.js';

function open(context: TestContext, end: VethEnd): RouteMonitor {
  const monitor = end.namespace.run(openRouteMonitor);
  context.after(() => monitor.close());
  return monitor;
}

/** Reads until an event is the wanted one; the events before it are returned with it. */
function readUntil(monitor: RouteMonitor, wanted: (event: RouteEvent) => boolean): RouteEvent[] {
  const events: RouteEvent[] = [];
  const deadlineUs = nowUs() + 10_000_000;
  while (nowUs() < deadlineUs) {
    events.push(...monitor.read());
    if (events.some(wanted)) return events;
    pollReadable([monitor.fd], deadlineUs - nowUs());
  }
  throw new Error(`the event did not come; heard ${JSON.stringify(events)}`);
}

const linkIs = (up: boolean, running: boolean) => (event: RouteEvent) =>
  event.kind === 'link' &&
  event.action === 'changed' &&
  event.link.name === 'eth0' &&
  event.link.up === up &&
  event.link.running === running;

rootTest('a link set down and up again is heard', (context) => {
  const { left } = vethPair(context);
  const monitor = open(context, left);
  left.netlink.setLink('eth0', { up: false });
  readUntil(monitor, linkIs(false, false));
  left.netlink.setLink('eth0', { up: true });
  readUntil(monitor, linkIs(true, true));
});

rootTest('a carrier that is lost at the far end is heard', (context) => {
  const { left, right } = vethPair(context);
  const monitor = open(context, left);
  right.netlink.setLink('eth0', { up: false });
  readUntil(monitor, linkIs(true, false));
});

rootTest('a link that is deleted is heard as removed', (context) => {
  const { left } = vethPair(context);
  const monitor = open(context, left);
  left.netlink.deleteLink('eth0');
  readUntil(monitor, (event) => event.kind === 'link' && event.action === 'removed');
});

rootTest('a port that leaves its bridge is not heard as removed', (context) => {
  const { left } = vethPair(context);
  left.netlink.createBridge('br0');
  left.netlink.setLink('eth0', { masterName: 'br0' });
  const monitor = open(context, left);
  left.netlink.setLink('eth0', { masterName: null });
  left.netlink.createBridge('last');
  const isLast = (event: RouteEvent) => event.kind === 'link' && event.link.name === 'last';
  const events = readUntil(monitor, isLast);
  assert.ok(events.every((event) => event.kind !== 'link' || event.action !== 'removed'));
});

rootTest('addresses added and deleted are heard', (context) => {
  const { left } = vethPair(context);
  const { interfaceIndex, netlink } = left;
  const monitor = open(context, left);
  for (const text of ['192.0.2.100', '2001:db8::100']) {
    const prefix = { address: ipAddress(text), length: 32 };
    const heard = (action: 'added' | 'removed') => (event: RouteEvent) =>
      event.kind === 'address' &&
      event.action === action &&
      event.address.interfaceIndex === interfaceIndex &&
      event.address.prefix.address === text;
    netlink.changeAddresses([{ action: 'add', interfaceIndex, prefix }]);
    // The kernel tells of an IPv6 address a moment after it took it.
    readUntil(monitor, heard('added'));
    netlink.changeAddresses([{ action: 'delete', interfaceIndex, prefix }]);
    readUntil(monitor, heard('removed'));
  }
});

rootTest('a monitor that was not read in time says that events were lost', (context) => {
  const { left } = vethPair(context);
  const { interfaceIndex, netlink } = left;
  const monitor = open(context, left);
  const changes = Array.from({ length: 4000 }, (_, index) => ({
    interfaceIndex,
    prefix: { address: ipAddress(`10.0.${index >> 8}.${index & 255}`), length: 32 },
  }));
  for (let round = 0; round < 3; round += 1) {
    for (const action of ['add', 'delete'] as const) {
      netlink.changeAddresses(changes.map((change) => ({ action, ...change })));
    }
  }
  readUntil(monitor, (event) => event.kind === 'overrun');
  while (monitor.read().length > 0);
  netlink.setLink('eth0', { up: false });
  readUntil(monitor, linkIs(false, false));
});

rootTest('a reading that is bounded leaves the rest for the next ones, in order', (context) => {
  const { left } = vethPair(context);
  const monitor = open(context, left);
  monitor.read();
  const texts = ['198.51.100.1', '198.51.100.2', '198.51.100.3'];
  const interfaceIndex = left.netlink.link('eth0')?.index ?? 0;
  left.netlink.changeAddresses(
    texts.map((text) => ({
      action: 'add',
      interfaceIndex,
      prefix: { address: ipAddress(text), length: 32 },
    })),
  );
  const readings = texts.map(() => monitor.read(1));
  assert.deepEqual(
    readings.map((events) =>
      events.map((event) => event.kind === 'address' && event.address.prefix.address),
    ),
    texts.map((text) => [text]),
  );
  assert.deepEqual(monitor.read(), []);
});
