import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { step } from '../../../src/vrrp/machine.js';
import type { MachineEvent, TimerName } from '../../../src/vrrp/machineModel.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { makeSpec, startUs, Walk } from './support.js';

const timers: readonly TimerName[] = [
  'advertisement',
  'active-down',
  'delayed-announcement',
  'announcement-refresh',
];

type Move =
  | { readonly kind: 'hear'; readonly priority: number; readonly last: number; readonly cs: number }
  | { readonly kind: 'tick'; readonly timer: TimerName; readonly lateUs: number }
  | { readonly kind: 'event'; readonly event: MachineEvent };

const address = ipAddress('192.0.2.2');
const plainEvents: readonly MachineEvent[] = [
  { type: 'interface', address: undefined, held: false },
  { type: 'interface', address, held: false },
  { type: 'interface', address, held: true },
  { type: 'group-promoted' },
  { type: 'group-yielded' },
  { type: 'group-released' },
  { type: 'leave' },
  { type: 'demotions', demotions: [{ reason: 'health-thread-lost', weight: 60 }] },
  { type: 'step-down', untilUs: startUs + 3_600_000_000, force: false },
  { type: 'step-down', untilUs: startUs + 9_000_000, force: true },
  { type: 'step-down', untilUs: 0, force: false },
  {
    type: 'holds',
    holds: [{ reason: 'connections-not-synced', untilUs: startUs + 20_000_000 }],
  },
  { type: 'holds', holds: [] },
  { type: 'demotions', demotions: [] },
  { type: 'demotions', demotions: [{ reason: 'tracked-file-value', weight: 99 }] },
  {
    type: 'faults',
    faults: [{ reason: 'tracked-file-value', tracker: 'load', routers: ['outside'] }],
    held: false,
  },
  { type: 'faults', faults: [], held: false },
  { type: 'spec', spec: makeSpec({ priority: 120, peerPriorities: [90] }) },
  { type: 'spec', spec: makeSpec({ priority: 30, advertIntervalCs: 7 }) },
  { type: 'spec', spec: makeSpec({ announcements: { repeat: 2, delayMs: 5, refreshMs: 9 } }) },
];

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constant('hear' as const),
    priority: fc.nat(255),
    last: fc.constantFrom(1, 3),
    cs: fc.integer({ min: 1, max: 4095 }),
  }),
  fc.record({
    kind: fc.constant('tick' as const),
    timer: fc.constantFrom(...timers),
    lateUs: fc.nat(5_000_000),
  }),
  fc.record({ kind: fc.constant('event' as const), event: fc.constantFrom(...plainEvents) }),
);

function apply(walk: Walk, next: Move): void {
  switch (next.kind) {
    case 'hear':
      walk.hear({
        priority: next.priority,
        source: `192.0.2.${next.last}`,
        advertIntervalCs: next.cs,
      });
      break;
    case 'tick':
      if (walk.armed.includes(next.timer)) walk.runNext(next.timer, next.lateUs);
      break;
    case 'event':
      walk.event(next.event);
      break;
  }
}

test('whatever happens, addresses are held in Active only and timers fit the state', () => {
  fc.assert(
    fc.property(
      fc.array(move, { maxLength: 60 }),
      fc.integer({ min: 1, max: 255 }),
      (moves, priority) => {
        const walk = Walk.started({ priority });
        let holds = walk.state.current === 'active';
        for (const next of moves) {
          apply(walk, next);
          for (const action of walk.actions) {
            if (action.type === 'add-addresses') holds = true;
            if (action.type === 'remove-addresses') holds = false;
          }
          assert.equal(holds, walk.state.current === 'active');
          assert.equal(walk.armed.includes('active-down'), walk.state.current === 'backup');
          assert.equal(walk.armed.includes('advertisement'), walk.state.current === 'active');
          if (walk.state.current === 'initialize') assert.deepEqual(walk.armed, []);
        }
      },
    ),
  );
});

test('whatever happens, no action list has an address change before an advertisement', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const walk = Walk.started();
      for (const next of moves) {
        apply(walk, next);
        const kinds = walk.actions.map(({ type }) => type);
        const firstAdded = kinds.indexOf('add-addresses');
        const firstAnnounced = kinds.indexOf('announce');
        if (firstAdded >= 0) assert.ok(kinds.lastIndexOf('send-advertisement') < firstAdded);
        if (firstAnnounced >= 0 && firstAdded >= 0) assert.ok(firstAdded < firstAnnounced);
      }
    }),
  );
});

test('a step leaves the state that it was given as it was', () => {
  fc.assert(
    fc.property(
      fc.array(move, { maxLength: 20 }),
      fc.constantFrom(...plainEvents),
      (moves, event) => {
        const walk = Walk.started();
        for (const next of moves) apply(walk, next);
        const before = structuredClone(walk.state);
        const first = step(walk.state, event, startUs);
        assert.deepEqual(walk.state, before);
        assert.deepEqual(step(walk.state, event, startUs), first, 'the same again');
      },
    ),
  );
});
