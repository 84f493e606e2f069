/** Random entries of the kernel's synchronisation that each version can carry. */
import fc from 'fast-check';
import {
  type SyncEntry,
  type SyncMessage,
  type SyncSequence,
  sequenceFlags,
} from '../../../src/wire/syncModel.js';
import { anyAddress, anyFamily, anyPort } from './ipvsArbitraries.js';

const anyU32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anyDirection: fc.Arbitrary<SyncSequence> = fc.record({
  initial: anyU32,
  delta: anyU32,
  previousDelta: anyU32,
});

function entryOf(version: 0 | 1): fc.Arbitrary<SyncEntry> {
  const families = version === 0 ? fc.constant(4 as const) : anyFamily;
  const zero = fc.constant(0);
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 255 });
  return families.chain((family) =>
    fc
      .record(
        {
          family: fc.constant(family),
          protocol: fc.integer({ min: 0, max: 255 }),
          flags: version === 0 ? anyPort : anyU32,
          state: anyPort,
          clientPort: anyPort,
          virtualPort: anyPort,
          serverPort: anyPort,
          firewallMark: version === 0 ? zero : anyU32,
          timeoutSeconds: version === 0 ? zero : anyU32,
          clientAddress: anyAddress(family),
          virtualAddress: anyAddress(family),
          serverAddress: anyAddress(family),
          sequence: fc.record({ in: anyDirection, out: anyDirection }),
          ...(version === 0
            ? {}
            : {
                persistenceData: bytes,
                persistenceEngine: fc.stringMatching(/^[a-z_]{1,16}$/),
                unknownOptions: fc.array(
                  fc.record({ type: fc.constantFrom(0x40, 0x41, 0xff), data: bytes }),
                  { minLength: 1, maxLength: 3 },
                ),
              }),
        },
        {
          requiredKeys: [
            'family',
            'protocol',
            'flags',
            'state',
            'clientPort',
            'virtualPort',
            'serverPort',
            'firewallMark',
            'timeoutSeconds',
            'clientAddress',
            'virtualAddress',
            'serverAddress',
            'sequence',
          ],
        },
      )
      .map(({ sequence, ...entry }) =>
        (entry.flags & sequenceFlags) === 0 ? entry : { ...entry, sequence },
      )
      // fast-check makes records without prototype, which strict equality tells apart.
      .map((entry): SyncEntry => structuredClone(entry)),
  );
}

/** Any message that can be written. */
export const anySyncMessage: fc.Arbitrary<SyncMessage> = fc
  .constantFrom(0 as const, 1 as const)
  .chain((version) =>
    fc.record({
      version: fc.constant(version),
      syncId: fc.integer({ min: 0, max: 255 }),
      entries: fc.array(entryOf(version), { minLength: 1, maxLength: 12 }),
    }),
  )
  .map((message) => ({ ...message }));
