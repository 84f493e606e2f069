import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  effectiveOverrides,
  indexOverrides,
  mergeOverrides,
  nextRecord,
  noOverrides,
  type OverrideRecords,
  overrideKey,
  pruneOverrides,
  tombstoneAgeMaxMs,
} from '../../../src/ipvs/overrides.js';
import {
  type OverrideRecord,
  overrideRecordShape,
  overridesMax,
} from '../../../src/wire/overrideModel.js';

/** Few servers, nodes and times, so that records meet in one register at one time. */
const records: fc.Arbitrary<OverrideRecord> = fc.record(
  {
    server: fc.constantFrom('web/10.0.0.2:80', 'web/10.0.0.3:80', 'dns/[2001:db8::1]:53'),
    kind: fc.constantFrom('drain', 'maintain', 'file', 'weight', 'of-a-newer-version'),
    folderOf: fc.constantFrom('', 'lb1', 'lb2'),
    holds: fc.boolean(),
    weight: fc.integer({ min: 0, max: 3 }),
    atUnixMs: fc.integer({ min: 0, max: 3 }),
    node: fc.constantFrom('lb1', 'lb2'),
    user: fc.constantFrom('alice', 'bob'),
    reason: fc.constantFrom('', 'disks', '磁盘'),
  },
  { noNullPrototype: true },
);
const lists = fc.array(records, { maxLength: 12 });

/** Merged from nothing, as a director does that hears it all. */
function known(list: readonly OverrideRecord[]): OverrideRecords {
  return mergeOverrides(noOverrides, list);
}

function content(index: OverrideRecords): readonly OverrideRecord[] {
  return [...index.values()].toSorted((left, right) =>
    overrideKey(left) < overrideKey(right) ? -1 : 1,
  );
}

function record(change: Partial<OverrideRecord> = {}): OverrideRecord {
  return {
    server: 'web/10.0.0.2:80',
    kind: 'drain',
    folderOf: '',
    holds: true,
    weight: 0,
    atUnixMs: 1_000,
    node: 'lb1',
    user: 'alice',
    reason: 'disks',
    ...change,
  };
}

test('merging does not depend on the order', () => {
  fc.assert(
    fc.property(lists, lists, (left, right) => {
      const one = mergeOverrides(known(left), known(right).values());
      const other = mergeOverrides(known(right), known(left).values());
      assert.deepEqual(content(one), content(other));
    }),
  );
});

test('merging does not depend on who merges first', () => {
  fc.assert(
    fc.property(lists, lists, lists, (one, two, three) => {
      const leftFirst = mergeOverrides(
        mergeOverrides(known(one), known(two).values()),
        known(three).values(),
      );
      const rightFirst = mergeOverrides(
        known(one),
        mergeOverrides(known(two), known(three).values()).values(),
      );
      assert.deepEqual(content(leftFirst), content(rightFirst));
    }),
  );
});

test('merging what is known already changes nothing, and says so', () => {
  fc.assert(
    fc.property(lists, (list) => {
      const index = known(list);
      assert.equal(mergeOverrides(index, list), index);
      assert.deepEqual(content(indexOverrides(list)), content(index));
    }),
  );
});

test('two directors that exchanged everything decide the same for every server', () => {
  fc.assert(
    fc.property(lists, lists, (left, right) => {
      const one = mergeOverrides(known(left), right);
      const other = mergeOverrides(known(right), left);
      const sorted = (index: OverrideRecords) => [...effectiveOverrides(index)].toSorted();
      assert.deepEqual(sorted(one), sorted(other));
    }),
  );
});

test('every record that is made passes the check of the wire', () => {
  fc.assert(
    fc.property(records, (each) => {
      assert.deepEqual(overrideRecordShape.read(each, 'record'), each);
    }),
  );
});

test('an own record wins over what is known, also when the clock of the peer is ahead', () => {
  const ahead = known([record({ node: 'lb2', atUnixMs: 9_000_000 })]);
  const { atUnixMs: _, ...undrain } = record({ holds: false });
  const next = nextRecord(ahead, undrain, 1_000);
  assert.equal(next.atUnixMs, 9_000_001);
  assert.equal(effectiveOverrides(mergeOverrides(ahead, [next])).size, 0);
});

test('what was taken back later does not come back with an old record of the peer', () => {
  const back = known([record({ holds: false, atUnixMs: 2_000 })]);
  assert.equal(mergeOverrides(back, [record()]), back);
});

test('being out of service comes before a weight, and the weight is there again after it', () => {
  const weight = record({ kind: 'weight', weight: 7 });
  const drained = known([weight, record()]);
  assert.equal(effectiveOverrides(drained).get('web/10.0.0.2:80')?.kind, 'drain');
  const maintained = mergeOverrides(drained, [record({ kind: 'maintain' })]);
  assert.equal(effectiveOverrides(maintained).get('web/10.0.0.2:80')?.kind, 'maintain');
  const back = mergeOverrides(maintained, [
    record({ holds: false, atUnixMs: 2_000 }),
    record({ kind: 'maintain', holds: false, atUnixMs: 2_000 }),
  ]);
  const { kind, weight: effective } = effectiveOverrides(back).get('web/10.0.0.2:80') ?? {};
  assert.deepEqual([kind, effective], ['weight', 7]);
});

test('a kind that a newer version knows has no effect, and is passed on', () => {
  const newer = known([record({ kind: 'of-a-newer-version' })]);
  assert.equal(effectiveOverrides(newer).size, 0);
  assert.equal(newer.size, 1);
});

test('what was taken back long ago is forgotten, what holds is not', () => {
  const now = tombstoneAgeMaxMs + 10_000;
  const index = known([record(), record({ server: 'web/10.0.0.3:80', holds: false })]);
  assert.deepEqual(content(pruneOverrides(index, now)), [record()]);
  assert.equal(pruneOverrides(index, 2_000), index);
});

test('beyond the bound what was taken back goes first, the oldest of it', () => {
  const many = Array.from({ length: overridesMax }, (_, number) =>
    record({ server: `web/10.0.0.2:${number}`, holds: number > 1, atUnixMs: 1_000 + number }),
  );
  const index = known([...many, record({ server: 'web/10.0.0.3:80' })]);
  const pruned = pruneOverrides(index, 2_000);
  assert.equal(pruned.size, overridesMax);
  const gone = content(index).filter((each) => !pruned.has(overrideKey(each)));
  assert.deepEqual(
    gone.map(({ server }) => server),
    ['web/10.0.0.2:0'],
  );
});
