/** Keys that every kind of check has: how often, how long, how many, and where. */
import { optional, withDefault } from './definition.js';
import { percent } from './healthDefinition.js';
import { duration, integer } from './scalarTypes.js';

/** How many results in a row it takes. */
export const resultsInARow = integer({ min: 1, max: 100 });

/** When a check runs, and how many results in a row it takes to change a verdict. */
export const checkTiming = {
  interval: withDefault(duration({ minMs: 100, maxMs: 3_600_000 }), '2s', {
    doc: 'Time from the start of one check to the start of the next.',
  }),
  intervalWhenChanging: optional(duration({ minMs: 100, maxMs: 3_600_000 }), {
    doc: 'The same before the first verdict, and once a result speaks against the last one.',
    meaning: '`interval`',
  }),
  intervalWhenDown: optional(duration({ minMs: 100, maxMs: 3_600_000 }), {
    doc: 'The same while the server is down.',
    meaning: '`interval`',
  }),
  jitter: withDefault(percent({ min: 0, max: 50 }), '0%', {
    doc: 'Each check is put off by up to this part of the interval, at random.',
  }),
  timeout: withDefault(duration({ minMs: 10, maxMs: 600_000 }), '1s', {
    doc: 'How long one check may take altogether, connection included.',
  }),
  rise: withDefault(resultsInARow, 2, {
    doc: 'Passes in a row that bring a server up again.',
  }),
  fall: withDefault(resultsInARow, 3, {
    doc: 'Failures in a row that take a server down.',
  }),
  port: optional(integer({ min: 1, max: 65_535 }), {
    doc: 'Where to check. Needed where the servers have no port of their own.',
    meaning: "the server's port",
  }),
} as const;
