import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AnnouncementQueue,
  announcementQueueMax,
  announcementsPerTurnMax,
} from '../../../src/vrrp/announcementQueue.js';
import { inside, outside } from './electionSupport.js';
import { virtualAddress } from './support.js';

const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((text) => virtualAddress(text));
const always = () => true;

test('every address is announced once before any is announced twice', () => {
  const queue = new AnnouncementQueue();
  queue.push(outside, addresses, 2);
  const order = queue.take(always).map(({ address }) => address.prefix.address);
  assert.deepEqual(order.slice(0, 3), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
  assert.deepEqual(order.slice(3), order.slice(0, 3));
  assert.equal(queue.length, 0);
});

test('a long burst leaves in portions', () => {
  const queue = new AnnouncementQueue();
  queue.push(outside, addresses, 50);
  assert.equal(queue.take(always).length, announcementsPerTurnMax);
  assert.equal(queue.length, 150 - announcementsPerTurnMax);
});

test('what was never announced goes before all repetitions, also of other routers', () => {
  const queue = new AnnouncementQueue();
  queue.push(outside, addresses, 40);
  assert.equal(queue.take(always).length, announcementsPerTurnMax);
  assert.equal(queue.hasFirst, false);
  queue.push(inside, addresses, 2);
  assert.equal(queue.hasFirst, true);
  const routers = queue.take(always).map(({ router }) => router);
  assert.deepEqual(routers.slice(0, 4), [inside, inside, inside, outside]);
  assert.equal(queue.hasFirst, false);
});

test('what waits for a router that is Active no longer is never sent', () => {
  const queue = new AnnouncementQueue();
  queue.push(outside, addresses, 1);
  queue.push(inside, addresses, 1);
  const sent = queue.take((router) => router === inside);
  assert.deepEqual([...new Set(sent.map(({ router }) => router))], [inside]);
  assert.equal(queue.length, 0);
});

test('at its bound the queue drops and counts', () => {
  const queue = new AnnouncementQueue();
  queue.push(outside, addresses, announcementQueueMax);
  assert.equal(queue.length, announcementQueueMax);
  assert.equal(queue.dropped, 2 * announcementQueueMax);
});
