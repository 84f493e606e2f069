import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MainWatch } from '../../../src/vrrp/mainWatch.js';

test('main that says nothing for five of our seconds demotes the node until it speaks', () => {
  const watch = new MainWatch();
  assert.deepEqual(
    [1, 2, 3, 4].map(() => watch.beat()),
    [false, false, false, false],
  );
  assert.deepEqual(watch.demotions, []);
  assert.equal(watch.beat(), true);
  assert.deepEqual(watch.demotions, [{ reason: 'main-thread-late', weight: 50 }]);
  assert.equal(watch.beat(), false, 'told once');
  assert.equal(watch.heard(), true);
  assert.deepEqual(watch.demotions, []);
  assert.equal(watch.heard(), false);
});

test('a word of main in time begins the count anew', () => {
  const watch = new MainWatch();
  for (let beat = 0; beat < 20; beat += 1) {
    assert.equal(watch.beat(), false);
    watch.heard();
  }
});
