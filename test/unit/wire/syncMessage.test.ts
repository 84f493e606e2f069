import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { decodeSyncMessage, encodeSyncMessage } from '../../../src/wire/syncMessage.js';
import type { SyncEntry } from '../../../src/wire/syncModel.js';
import { scanSyncMessage } from '../../../src/wire/syncScan.js';
import { WireError } from '../../../src/wire/wireError.js';
import { establishedConnection } from '../../tools/syncSamples.js';
import { anySyncMessage } from './syncArbitraries.js';

/** Datagrams of the kernel's master daemon (Linux 6.1), one file of each kind of traffic. */
const file = new URL('../../../../test/vectors/sync.json', import.meta.url);
const captures: readonly { readonly name: string; readonly message: string }[] = JSON.parse(
  readFileSync(file, 'utf8'),
);

function captured(name: string): Buffer {
  const found = captures.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no capture ${name}`);
  return Buffer.from(found.message, 'hex');
}

for (const { name, message } of captures) {
  test(`the kernel's message ${name} is read, and written again byte for byte`, () => {
    const decoded = decodeSyncMessage(Buffer.from(message, 'hex'));
    assert.notEqual(decoded.entries.length, 0);
    const encoded = Buffer.from(encodeSyncMessage(decoded, { counterWraps: true }));
    assert.equal(encoded.toString('hex'), message);
  });
}

const established: SyncEntry = {
  ...establishedConnection,
  clientAddress: ipAddress('10.1.0.100'),
  virtualAddress: ipAddress('10.1.0.10'),
  serverAddress: ipAddress('10.2.0.12'),
};

test('an established connection, a template and a persistence engine are what they were', () => {
  assert.deepEqual(decodeSyncMessage(captured('tcp4-0')), {
    version: 1,
    syncId: 5,
    entries: [established],
  });
  const [template] = decodeSyncMessage(captured('fwm6-0')).entries;
  assert.equal(template?.virtualAddress, '0:9::');
  assert.equal(template?.firewallMark, 9);
  const [sip] = decodeSyncMessage(captured('sip-0')).entries;
  assert.equal(sip?.persistenceEngine, 'sip');
  assert.equal(Buffer.from(sip?.persistenceData ?? []).toString(), 'abcdef0123456789@example.org');
  assert.equal(decodeSyncMessage(captured('v0-0')).version, 0);
});

test('all entries are seen of a message whose counter has wrapped', () => {
  const wrapped = captured('wrap-0');
  assert.equal(wrapped[4], 144);
  assert.equal(decodeSyncMessage(wrapped).entries.length, 400);
});

test('more entries than the counter holds are not written by mistake', () => {
  const entries = Array.from({ length: 256 }, () => established);
  assert.throws(() => encodeSyncMessage({ version: 1, syncId: 0, entries }), /255 are the most/);
});

test('any message comes back as it was', () => {
  fc.assert(
    fc.property(anySyncMessage, (message) => {
      assert.deepEqual(decodeSyncMessage(encodeSyncMessage(message)), message);
    }),
  );
});

test('whatever bytes come in, the codec reads them or throws a WireError', () => {
  const attempt = (bytes: Uint8Array): void => {
    for (const read of [decodeSyncMessage, (all: Uint8Array) => scanSyncMessage(all, () => {})]) {
      try {
        read(bytes);
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), attempt));
  // Most random bytes fail at the header; these are wrong in one place only.
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.constantFrom(...captures), change, fc.nat(), ({ message }, [at, value], cut) => {
      const bytes = Buffer.from(message, 'hex');
      bytes[at % bytes.length] = value;
      attempt(bytes);
      attempt(bytes.subarray(0, cut % bytes.length));
    }),
    { numRuns: 2_000 },
  );
});

const wrong: readonly (readonly [string, (bytes: Buffer) => Buffer, RegExp])[] = [
  ['a size that is not the length', (bytes) => bytes.subarray(0, 40), /size 44 in 40/],
  ['a count that is not the number of entries', set(4, 2), /2 entries stated, 1 found/],
  ['an unknown type of entry', set(8, 2), /type 2/],
  ['an unknown version of entry', set(10, 0x10), /version 1/],
  ['an entry shorter than its fields', set(11, 35), /length 35/],
  ['an entry longer than the message', set(11, 60), /length 60/],
  ['sequence numbers that are announced only', set(14, 2), /sequence numbers are missing/],
  ['bytes behind the entries', grow(Buffer.alloc(8)), /8 bytes where 36/],
  ['an option without data', option(Buffer.from([2, 0])), /option 2: 0 bytes/],
  ['an option that runs over', option(Buffer.from([2, 9, 1, 1])), /option 2: 9 bytes/],
  ['an option twice', option(Buffer.from([2, 1, 1, 2, 1, 1])), /twice/],
  ['an unknown option', option(Buffer.from([9, 1, 1, 0x49, 1, 1])), /option 9 is not known/],
  ['a control character in a name', option(Buffer.from([3, 1, 7, 2, 1, 1])), /not the name/],
];

for (const [what, change, expected] of wrong) {
  test(`a message with ${what} is refused`, () => {
    const bytes = change(Buffer.from(captured('tcp4-0')));
    assert.throws(
      () => decodeSyncMessage(bytes),
      (error) => error instanceof WireError && expected.test(error.message),
    );
  });
}

function set(at: number, value: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[at] = value;
    return bytes;
  };
}

function grow(more: Buffer): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const grown = Buffer.concat([bytes, more]);
    grown.writeUInt16BE(grown.length, 2);
    return grown;
  };
}

function option(bytes: Buffer): (message: Buffer) => Buffer {
  return (message) => {
    const grown = grow(bytes)(message);
    grown.writeUInt16BE(36 + bytes.length, 10);
    return grown;
  };
}
