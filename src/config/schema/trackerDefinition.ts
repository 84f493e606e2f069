/** Keys of `trackers`. */
import { commandType, filePath, userType } from './commandTypes.js';
import { perNode, variantsOf } from './containerTypes.js';
import { optional, required, withDefault } from './definition.js';
import { hostAddress, interfaceName } from './networkTypes.js';
import { partName, trackerWeight } from './routerDefinition.js';
import { mainTable, routeDestination, routingTable } from './routeTypes.js';
import { duration, integer, oneOf, text } from './scalarTypes.js';

const name = required(partName, {
  doc: 'Names the tracker in `track`, logs and status. Unique.',
});

const common = {
  name,
  weight: withDefault(trackerWeight, 0, {
    doc:
      'What is taken off the priority while the tracker fails; a negative one is added. With 0 ' +
      'the router does not run while it fails (a fault). A router may set its own in `track`.',
  }),
} as const;

const interval = withDefault(duration({ minMs: 100, maxMs: 3_600_000 }), '1s', {
  doc: 'Time from the start of one look to the start of the next.',
});

/** One element of `trackers`. */
export const trackerType = variantsOf({
  interface: {
    ...common,
    interface: required(perNode(interfaceName), {
      doc: 'Passes while this interface is there, up and has a carrier.',
    }),
  },
  address: {
    ...common,
    address: required(hostAddress, { doc: 'Passes while this machine has the address.' }),
    interface: optional(perNode(interfaceName), {
      doc: 'The interface that must have it.',
      meaning: 'any interface',
    }),
  },
  route: {
    ...common,
    destination: required(routeDestination, {
      doc: 'Passes while the routing table has exactly this destination, by a link that works.',
    }),
    gateway: optional(hostAddress, {
      doc: 'The gateway that the route must lead over.',
      meaning: 'any, or none',
    }),
    interface: optional(perNode(interfaceName), {
      doc: 'The interface that the route must leave by.',
      meaning: 'any interface',
    }),
    table: withDefault(routingTable, mainTable, {
      doc: 'Number of the routing table.',
    }),
  },
  script: {
    ...common,
    command: required(commandType, {
      doc:
        'A program by its absolute path, then its arguments. No shell is involved. Status 0 ' +
        'passes.',
    }),
    user: optional(userType, {
      doc: 'Who it runs as.',
      meaning: 'nobody, or the agent itself where that is not root',
    }),
    interval,
    timeout: withDefault(duration({ minMs: 10, maxMs: 600_000 }), '1s', {
      doc: 'After this the program and all that it has started are ended, which is a failure.',
    }),
    rise: withDefault(integer({ min: 1, max: 100 }), 2, {
      doc: 'Passes in a row that make it pass again.',
    }),
    fall: withDefault(integer({ min: 1, max: 100 }), 2, {
      doc: 'Failures in a row that make it fail.',
    }),
    initially: withDefault(oneOf(['passing', 'failing']), 'passing', {
      doc: 'What holds until the first verdict.',
    }),
  },
  file: {
    name,
    weight: withDefault(trackerWeight, 1, {
      doc:
        'The value in the file times this is taken off the priority. With 0 the router does not ' +
        'run while the value is not 0 (a fault). A router may set its own in `track`.',
    }),
    path: required(filePath, {
      doc: 'A file that holds an integer from -253 to 253. Replacing it by a rename is best.',
    }),
    valueWhenMissing: withDefault(integer({ min: -253, max: 253 }), 0, {
      doc: 'Stands for the value of a file that is not there.',
    }),
  },
  process: {
    ...common,
    process: optional(
      text({
        description: 'name of a program, at most 63 characters',
        pattern: /^[^\0/]{1,63}$/s,
        expected: 'the name of a program without its folder',
      }),
      {
        doc: 'Counts processes of this name, as `ps -o comm` shows it (at most 15 characters).',
        meaning: 'any name',
      },
    ),
    commandContains: optional(
      text({
        description: 'text, at most 256 characters',
        pattern: /^[^\0]{1,256}$/s,
        expected: 'a text of 1 to 256 characters',
      }),
      {
        doc: 'Counts processes whose command line, joined by spaces, contains this.',
        meaning: 'any command line',
      },
    ),
    min: withDefault(integer({ min: 0, max: 65_535 }), 1, {
      doc: 'Fewest processes with which it passes.',
    }),
    max: optional(integer({ min: 0, max: 65_535 }), {
      doc: 'Most processes with which it passes. With `min: 0` and `max: 0` none may run.',
      meaning: 'any number',
    }),
    interval,
    delay: withDefault(duration({ minMs: 0, maxMs: 3_600_000 }), '0s', {
      doc: 'How long the number must be wrong, or right again, before that counts.',
    }),
  },
  service: {
    ...common,
    service: required(partName, { doc: 'Name of one of `services`.' }),
    minServersUp: withDefault(integer({ min: 1, max: 4096 }), 1, {
      doc: 'Passes while at least so many of its servers with a weight are up.',
    }),
  },
  bfd: {
    ...common,
    session: required(partName, { doc: 'Passes while the BFD session of this name is up.' }),
  },
});
