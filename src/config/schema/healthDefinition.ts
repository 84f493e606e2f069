/** Keys of `services[].health` and of `health`: what follows from the checks. */
import { describeValue } from '../problem.js';
import {
  Complaint,
  optional,
  required,
  scalarType,
  type ValueType,
  withDefault,
} from './definition.js';
import { mappingOf } from './mappingReader.js';
import { boolean, duration, integer, oneOf } from './scalarTypes.js';

/** `50%`; the value is 50. */
export function percent(range: { readonly min: number; readonly max: number }): ValueType<number> {
  const { min, max } = range;
  return scalarType(`percentage, ${min}% to ${max}%`, (raw) => {
    const digits = typeof raw === 'string' ? /^(\d{1,3})%$/.exec(raw)?.[1] : undefined;
    if (digits === undefined) {
      const hint = typeof raw === 'number' ? `write ${raw}%` : 'for example 50%';
      return new Complaint(`must be a percentage, got ${describeValue(raw)}`, hint);
    }
    const value = Number(digits);
    if (value >= min && value <= max) return value;
    return new Complaint(`must be ${min}% to ${max}%, got ${value}%`);
  });
}

const slowStart = mappingOf({
  duration: required(duration({ minMs: 1_000, maxMs: 3_600_000 }), {
    doc: 'How long it takes until the server has its whole weight.',
  }),
  curve: withDefault(oneOf(['linear', 'late', 'early']), 'linear', {
    doc: '`late` gives little at first and most at the end, `early` the other way round.',
  }),
  from: withDefault(percent({ min: 1, max: 100 }), '10%', {
    doc: 'What it begins with. No server has less than weight 1 meanwhile.',
  }),
});

const flapDamping = mappingOf({
  failures: withDefault(integer({ min: 1, max: 60 }), 3, {
    doc: 'From this many failures within `window` on, a server that comes back has to wait.',
  }),
  window: withDefault(duration({ minMs: 1_000, maxMs: 86_400_000 }), '10m', {
    doc: 'How long a failure counts.',
  }),
  hold: withDefault(duration({ minMs: 1_000, maxMs: 3_600_000 }), '30s', {
    doc: 'How long it must pass without a break before it is let in. Doubles with each failure.',
  }),
  holdMax: withDefault(duration({ minMs: 1_000, maxMs: 86_400_000 }), '10m', {
    doc: 'The longest that it has to wait.',
  }),
});

const panic = mappingOf({
  below: required(percent({ min: 1, max: 100 }), {
    doc: 'The share of servers that are up, below which it applies.',
  }),
  use: withDefault(oneOf(['all', 'none']), 'all', {
    doc:
      '`all` gives every server its weight, whatever the checks say: few servers that are up ' +
      'would be drowned by the load of all. `none` gives all of them weight 0.',
  }),
});

const quorum = mappingOf({
  min: required(integer({ min: 1, max: 268_435_455 }), { doc: 'The quorum is lost below this.' }),
  of: withDefault(oneOf(['servers', 'weight']), 'servers', {
    doc: 'What is counted: the servers that are up, or their configured weights.',
  }),
  hysteresis: withDefault(integer({ min: 0, max: 268_435_455 }), 0, {
    doc: 'A lost quorum is met again at `min` and so much more.',
  }),
  whenLost: withDefault(oneOf(['nothing', 'sorry-server']), 'nothing', {
    doc: 'What happens to the traffic. Either way it is logged, and shown in the status.',
  }),
});

const passiveHints = mappingOf({
  interval: withDefault(duration({ minMs: 200, maxMs: 60_000 }), '1s', {
    doc: "How often the kernel's counters are read.",
  }),
  connections: withDefault(integer({ min: 1, max: 1_000_000 }), 3, {
    doc: 'So many connections without an answer between two readings are a hint.',
  }),
});

/** How many of several checks must pass: a number, or one of two words. */
export const checksNeeded: ValueType<number | 'all' | 'any'> = scalarType(
  '`all`, `any`, or a number from 1 to 8',
  (raw) => {
    if (raw === 'all' || raw === 'any') return raw;
    if (typeof raw === 'number' && Number.isInteger(raw) && raw >= 1 && raw <= 8) return raw;
    return new Complaint(`must be all, any or a number from 1 to 8, got ${describeValue(raw)}`);
  },
);

/** Keys of `services[].health`. */
export const serviceHealthKeys = {
  startDown: withDefault(boolean, false, {
    doc:
      'A server without a verdict yet takes no traffic. Otherwise it has the weight that the ' +
      'kernel has for it, or the configured one.',
  }),
  slowStart: optional(slowStart, {
    doc:
      'A server that comes back gets its weight little by little. Weights are whole numbers: ' +
      'give such servers 100 or so, not 1.',
    meaning: 'it has its whole weight at once',
  }),
  flapDamping: optional(flapDamping, {
    doc: 'A server that fails again and again is kept out for longer and longer.',
    meaning: 'it is let in whenever its checks pass',
  }),
  maxOut: optional(percent({ min: 0, max: 100 }), {
    doc:
      'Most servers that the checks may take out at once. Those that fail beyond it keep their ' +
      'weight, the latest first; a fault of the check itself cannot empty the pool.',
    meaning: 'all of them',
  }),
  panic: optional(panic, {
    doc: 'What happens when most servers are down.',
    meaning: 'those that are up take everything',
  }),
  quorum: optional(quorum, {
    doc: 'How many servers it takes for the service to be worth having.',
    meaning: 'one',
  }),
  passiveHints: optional(passiveHints, {
    doc:
      "Looks at the kernel's counters between the checks: a server that is sent connections and " +
      'does not answer is checked at once. Counters decide nothing. `{}` takes the defaults.',
    meaning: 'checks come when they are due',
  }),
  checkOnlyWhenActive: withDefault(boolean, false, {
    doc:
      'Checks only while this node is Active for the addresses of the service. It halves the ' +
      'load on the servers; a takeover begins with the last that was known.',
  }),
} as const;

/** Keys of `health` at the top of the file. */
export const healthKeys = {
  whenAllFail: withDefault(oneOf(['hold', 'follow']), 'hold', {
    env: 'TANDEM_HEALTH_WHEN_ALL_FAIL',
    doc:
      'What happens when every check of every service fails at once and in silence, as when this ' +
      'director has lost its network. `hold` keeps the weights and steps back in the election; ' +
      '`follow` takes every server out.',
  }),
  demotion: withDefault(integer({ min: 0, max: 253 }), 50, {
    doc: 'What that takes off the priority of the virtual routers.',
  }),
  threads: optional(integer({ min: 1, max: 64 }), {
    doc: 'Threads that run the checks.',
    meaning: 'one for every 2,500 checks per second, and no more than there are other processors',
  }),
} as const;
