import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDurationMs, parseDurationMs } from '../../../src/config/duration.js';

test('a duration has a unit', () => {
  for (const [text, valueMs] of [
    ['250ms', 250],
    ['1s', 1000],
    ['1.5s', 1500],
    ['0.07s', 70],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['0.5h', 1_800_000],
    ['0s', 0],
  ] as const) {
    assert.equal(parseDurationMs(text), valueMs);
  }
});

test('what is no duration, or has a part of a millisecond, is not read', () => {
  for (const text of [
    '',
    '1',
    's',
    '1 s',
    '-1s',
    '1.s',
    '.5s',
    '0.5ms',
    '1d',
    '1S',
    '1e3ms',
    '١s',
  ]) {
    assert.equal(parseDurationMs(text), undefined, text);
  }
});

test('a duration is written in the unit that a person would choose', () => {
  for (const [valueMs, text] of [
    [0, '0s'],
    [250, '250ms'],
    [1000, '1s'],
    [1500, '1500ms'],
    [40_950, '40.95s'],
    [90_000, '90s'],
    [300_000, '5m'],
    [7_200_000, '2h'],
  ] as const) {
    assert.equal(formatDurationMs(valueMs), text);
  }
});

test('every duration that is written is read as the same', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 31 - 1 }), (valueMs) => {
      assert.equal(parseDurationMs(formatDurationMs(valueMs)), valueMs);
    }),
  );
});
