import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ServiceConfig } from '../../../src/config/model.js';
import type { WeightDecision } from '../../../src/ipvs/desired.js';
import { applyPoolRules, type PoolMember } from '../../../src/ipvs/poolRules.js';

type Config = Pick<ServiceConfig, 'health' | 'whenAllDown'>;

const defaults = {
  startDown: false,
  whenQuorumLost: 'nothing',
  checkOnlyWhenActive: false,
} as const;
const plain: Config = { whenAllDown: 'zero', health: defaults };

test('the cap keeps those that failed last, and those that failed first stay out', () => {
  const config = { ...plain, health: { ...defaults, maxOutPercent: 50 } };
  const members = [down('a', 30), down('b', 10), down('c', 20), up('d')];
  assert.deepEqual(weights(config, members), {
    a: [10, 'too-many-out'],
    b: [0, 'check-failed'],
    c: [0, 'check-failed'],
    d: [10, 'configured'],
  });
});

test('below the panic threshold all are used, or none', () => {
  const panic = { belowPercent: 50, use: 'all' } as const;
  const members = [down('a', 1), down('b', 2), up('c')];
  const all = weights({ ...plain, health: { ...defaults, panic } }, members);
  assert.deepEqual(Object.values(all), Array(3).fill([10, 'panic']));
  const none = { ...defaults, panic: { ...panic, use: 'none' } } as const;
  assert.deepEqual(Object.values(weights({ ...plain, health: none }, members)), [
    [0, 'panic'],
    [0, 'panic'],
    [0, 'panic'],
  ]);
  const half = [down('a', 1), up('b')];
  assert.equal(weights({ ...plain, health: { ...defaults, panic } }, half).a?.[1], 'check-failed');
});

test('when all are down the service zeroes, keeps the last, keeps all, or says sorry', () => {
  const members = [down('a', 1), down('b', 2)];
  const of = (whenAllDown: ServiceConfig['whenAllDown']) =>
    applyPoolRules({ ...plain, whenAllDown }, members, 'met');
  assert.deepEqual(of('zero'), { changed: new Map(), sorry: false });
  assert.deepEqual([...of('keep-last').changed.keys()], ['b']);
  assert.deepEqual([...of('keep-weights').changed.keys()], ['a', 'b']);
  assert.equal(of('sorry-server').sorry, true);
});

test('a lost quorum hands the traffic to the sorry server only if the service says so', () => {
  const members = [down('a', 1), up('b')];
  assert.equal(applyPoolRules(plain, members, 'lost').sorry, false);
  const health = { ...defaults, whenQuorumLost: 'sorry-server' } as const;
  const { changed, sorry } = applyPoolRules({ ...plain, health }, members, 'lost');
  assert.equal(sorry, true);
  assert.deepEqual(changed.get('b'), { weight: 0, reason: 'below-quorum' });
});

test('servers that an operator has drained neither count nor come back', () => {
  const drained = { ...up('a'), decision: { weight: 0, reason: 'drained' } as never };
  const config = { ...plain, whenAllDown: 'keep-weights' } as const;
  const { changed } = applyPoolRules(config, [drained, down('b', 1)], 'met');
  assert.deepEqual([...changed.keys()], ['b']);
});

test('servers that want to be out themselves neither count nor come back', () => {
  const away = { ...up('a'), decision: { weight: 0, reason: 'asked-by-server' } as const };
  const panic = { belowPercent: 60, use: 'all' } as const;
  const config = { ...plain, health: { ...defaults, panic } };
  assert.deepEqual(weights(config, [away, up('b'), up('c')]).a, [0, 'asked-by-server']);
  assert.deepEqual(weights(config, [away, down('b', 1), down('c', 1)]), {
    a: [0, 'asked-by-server'],
    b: [10, 'panic'],
    c: [10, 'panic'],
  });
});

const anyMember = fc.record({
  out: fc.boolean(),
  weightMeant: fc.integer({ min: 0, max: 1000 }),
  percent: fc.integer({ min: 1, max: 100 }),
  sinceUnixMs: fc.integer({ min: 0, max: 100 }),
  wasInService: fc.boolean(),
});
const anyConfig = fc.record({
  whenAllDown: fc.constantFrom('zero', 'keep-last', 'keep-weights', 'sorry-server'),
  maxOutPercent: fc.integer({ min: 0, max: 100 }),
  quorumLost: fc.boolean(),
  panicBelow: fc.option(fc.integer({ min: 1, max: 100 })),
});

test('whatever happens, no weight is above what it is meant to be', () => {
  fc.assert(
    fc.property(fc.array(anyMember, { maxLength: 40 }), anyConfig, (rows, random) => {
      const members = membersOf(rows);
      const { changed } = applyPoolRules(configOf(random), members, quorumOf(random));
      for (const member of members) {
        const { weight } = changed.get(member.id) ?? member.decision;
        assert.ok((weight ?? 0) <= member.weightMeant);
      }
    }),
  );
});

test('whatever happens, the checks never have more servers out than the cap', () => {
  fc.assert(
    fc.property(fc.array(anyMember, { maxLength: 40 }), anyConfig, (rows, random) => {
      const config = configOf({ ...random, panicBelow: null });
      const members = membersOf(rows);
      const { changed } = applyPoolRules(config, members, 'met');
      const meant = members.filter(({ weightMeant }) => weightMeant > 0);
      const out = meant.filter(({ id, decision }) => (changed.get(id) ?? decision).weight === 0);
      assert.ok(out.length <= (meant.length * random.maxOutPercent) / 100);
    }),
  );
});

type Row = { out: boolean; weightMeant: number; percent: number } & Pick<
  PoolMember,
  'sinceUnixMs' | 'wasInService'
>;
interface RandomConfig {
  readonly whenAllDown: ServiceConfig['whenAllDown'];
  readonly maxOutPercent: number;
  readonly quorumLost: boolean;
  readonly panicBelow: number | null;
}

function membersOf(rows: readonly Row[]): readonly PoolMember[] {
  return rows.map(({ out, weightMeant, percent, ...rest }, index) => {
    const reduced = Math.min(weightMeant, Math.max(1, Math.round((weightMeant * percent) / 100)));
    const decision: WeightDecision = out
      ? { weight: 0, reason: 'check-failed' }
      : { weight: reduced, reason: 'slow-start' };
    return { id: `s${index}`, weightMeant, decision, ...rest };
  });
}

function configOf(random: RandomConfig): Config {
  const { maxOutPercent, panicBelow, whenAllDown } = random;
  const panic =
    panicBelow === null ? {} : { panic: { belowPercent: panicBelow, use: 'all' as const } };
  const health = { ...defaults, maxOutPercent, whenQuorumLost: 'sorry-server' as const, ...panic };
  return { whenAllDown, health };
}

function quorumOf({ quorumLost }: RandomConfig): 'met' | 'lost' {
  return quorumLost ? 'lost' : 'met';
}

function weights(config: Config, members: readonly PoolMember[]) {
  const { changed } = applyPoolRules(config, members, 'met');
  return Object.fromEntries(
    members.map(({ id, decision }) => {
      const { weight, reason } = changed.get(id) ?? decision;
      return [id, [weight, reason]];
    }),
  );
}

function up(id: string): PoolMember {
  const decision = { weight: 10, reason: 'configured' } as const;
  return { id, weightMeant: 10, decision, sinceUnixMs: 0, wasInService: true };
}

function down(id: string, sinceUnixMs: number): PoolMember {
  const decision = { weight: 0, reason: 'check-failed' } as const;
  return { id, weightMeant: 10, decision, sinceUnixMs, wasInService: false };
}
