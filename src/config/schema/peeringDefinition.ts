/** Keys of `peering`. */
import { mapOf, oneOrMany } from './containerTypes.js';
import { optional, required, withDefault } from './definition.js';
import { mappingOf } from './mappingReader.js';
import { hostAddress } from './networkTypes.js';
import { partName } from './routerDefinition.js';
import { integer, text } from './scalarTypes.js';

/** Paths between the directors at most; a second one is for a network that fails. */
export const peerPathsMax = 4;

const keyPath = text({
  description: 'absolute path',
  pattern: /^\/[!-~]{1,4094}$/,
  expected: 'an absolute path without spaces',
});

/** The value of `peering`. */
export const peeringType = mappingOf({
  port: withDefault(integer({ min: 1, max: 65_535 }), 8850, {
    doc: 'The TCP port that the director whose name sorts last listens on.',
  }),
  key: required(
    mappingOf({
      file: required(keyPath, {
        doc:
          'A file with the pre-shared key, the same on both directors, that only its owner can ' +
          'read: `tandem peer-key new --out FILE` makes one. Several keys are one on a line, as ' +
          '`id:key`: the first is used to connect, all are accepted.',
      }),
    }),
    { doc: 'What the directors know each other by.' },
  ),
  addresses: optional(mapOf(partName, oneOrMany(hostAddress, { max: peerPathsMax }), { min: 1 }), {
    doc:
      'The addresses of each node for the channel, best on a network of its own. The first of ' +
      'one node reaches the first of the other, the second the second: when a path fails, the ' +
      'next one is taken.',
    meaning: 'the address of each node',
  }),
});
