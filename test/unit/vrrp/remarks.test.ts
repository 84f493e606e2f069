import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Remarks, remarkQuietUs, remarksMax } from '../../../src/vrrp/remarks.js';

test('a remark that repeats is news once, for as long as it repeats', () => {
  const remarks = new Remarks();
  assert.equal(remarks.isNews('a', 0), true);
  for (let at = 1; at < 10; at += 1) {
    assert.equal(remarks.isNews('a', at * (remarkQuietUs - 1)), false);
  }
});

test('a remark that was absent for a while is news again', () => {
  const remarks = new Remarks();
  remarks.isNews('a', 0);
  assert.equal(remarks.isNews('a', remarkQuietUs), true);
});

test('remarks do not hide each other', () => {
  const remarks = new Remarks();
  remarks.isNews('a', 0);
  assert.equal(remarks.isNews('b', 0), true);
});

test('at the bound the remark that has been absent longest is forgotten', () => {
  const remarks = new Remarks();
  for (let index = 0; index < remarksMax; index += 1) remarks.isNews(`${index}`, index);
  remarks.isNews('0', remarksMax);
  remarks.isNews('one more', remarksMax);
  assert.equal(remarks.isNews('0', remarksMax), false);
  assert.equal(remarks.isNews('1', remarksMax), true);
});
