import assert from 'node:assert/strict';
import { test } from 'node:test';
import { virtualAddress, Walk } from './support.js';

const addresses = [virtualAddress('192.0.2.100/24'), virtualAddress('192.0.2.101/24')];
const announcements = { repeat: 3, delayMs: 5000, refreshMs: 60_000 };

test('a promotion announces every address, again after the delay, and then periodically', () => {
  const walk = Walk.active({ addresses, announcements });
  assert.ok(walk.did.includes('announce 2x3'));
  assert.equal(walk.due('delayed-announcement'), 5_000_000);
  assert.equal(walk.due('announcement-refresh'), 60_000_000);
  walk.beatUntil('delayed-announcement').runNext('delayed-announcement');
  assert.deepEqual(walk.did, ['announce 2x3']);
  assert.equal(walk.due('delayed-announcement'), undefined);
  walk.beatUntil('announcement-refresh').runNext('announcement-refresh');
  assert.deepEqual(walk.did, ['announce 2x1']);
  assert.equal(walk.due('announcement-refresh'), 60_000_000);
});

test('a delay of 0 sends no second burst and a refresh of 0 never refreshes', () => {
  assert.deepEqual(Walk.active().armed, ['advertisement']);
});

test('no announcement timer survives the loss of Active', () => {
  const walk = Walk.active({ announcements }).hear({ priority: 200 });
  assert.deepEqual(walk.armed, ['active-down']);
});

test('a lower advert, the sign of a healed split, makes the Active announce again', () => {
  const walk = Walk.active({ addresses }).pass(10_000_000).hear({ priority: 50 });
  assert.deepEqual(walk.did, ['advertise 100', 'announce 2x5']);
});

test('the answer to a lower advert is repeated: the other may have a burst on its way', () => {
  const walk = Walk.active({ addresses }).pass(10_000_000).hear({ priority: 50 });
  assert.equal(walk.due('delayed-announcement'), 1_000_000);
  walk.beatUntil('delayed-announcement').runNext('delayed-announcement');
  assert.deepEqual(walk.did, ['announce 2x5']);
  assert.equal(walk.due('delayed-announcement'), undefined);
});

test('lower adverts cause at most one burst per second, and the last is not lost', () => {
  const walk = Walk.active({ addresses }).pass(10_000_000).hear({ priority: 50 });
  walk.pass(400_000).hear({ priority: 50 });
  assert.deepEqual(walk.did, ['advertise 100']);
  assert.equal(walk.due('delayed-announcement'), 600_000);
  walk.pass(400_000).hear({ priority: 50 });
  assert.equal(walk.due('delayed-announcement'), 200_000);
  walk.runNext('delayed-announcement');
  assert.deepEqual(walk.did, ['announce 2x5']);
});

test('a split that heals right after the promotion is told to the link within a second', () => {
  const walk = Walk.active({ announcements }).pass(400_000).hear({ priority: 50 });
  assert.equal(walk.due('delayed-announcement'), 600_000);
});
