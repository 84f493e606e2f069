import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RelayStatus, StatusDocument } from '../../../src/api/statusModel.js';
import { syncDetailLines, syncLines } from '../../../src/cli/syncText.js';

const plain = (_tone: string, text: string): string => text;

const relay: RelayStatus = {
  phase: 'received',
  connectedSinceUnixMs: 1_000,
  tableEntries: 12,
  peerTableEntries: 11,
  tableMemoryBytes: 64 * 1024,
  waitingEntries: 1,
  lagMs: { p50: 20, p99: 30, max: 40 },
  differingBuckets: 0,
  refusedBuckets: 0,
  peerDifferingBuckets: 0,
  comparedUnixMs: 8_000,
  inSync: true,
  lastBulk: { direction: 'received', entries: 12, seconds: 0.2, finished: true, atUnixMs: 5_000 },
  seed: { entries: 3, finished: true },
  counters: {
    heard: 9,
    sent: 8,
    received: 7,
    injected: 6,
    rejected: {
      'family-not-served': 0,
      'unknown-service': 2,
      'unknown-server': 0,
      'bad-state': 0,
      'bad-flags': 0,
      'bad-timeout': 0,
    },
    refusedDatagrams: { 'not-from-kernel': 0, malformed: 0, 'wrong-sync-id': 0 },
    dropped: { tableFull: 0, overWindow: 0, channel: 0, beforeRelay: 0, beforeKernel: 0 },
    expired: 5,
    repairs: 0,
    malformed: 0,
  },
  portsProtected: true,
  holding: false,
};

function documentOf(change: Partial<RelayStatus>): StatusDocument {
  // The part of a document that these lines are made from.
  return {
    nowUnixMs: 10_000,
    connectionSync: {
      mode: 'relay',
      daemons: [{}, {}],
      lastError: null,
      relay: { ...relay, ...change },
    },
  } as unknown as StatusDocument;
}

test('a pair in sync takes three lines', () => {
  assert.deepEqual(syncLines(documentOf({}), plain), [
    'connection sync: relay',
    '  in sync, compared 2s ago',
    '  12 entries here, 11 at the peer, 1 on their way; lag 20 ms, at most 40 ms',
  ]);
});

test('what is counted is told with its reasons', () => {
  const text = syncDetailLines(documentOf({}), plain).join('\n');
  assert.match(text, /both roles: .*; connected with the peer for 9s$/m);
  assert.match(text, /told by our kernel 9, sent 8, received 7, given to our kernel 6/);
  assert.match(text, /refused 2 \(unknown-service 2\), dropped 0, refused datagrams 0/);
  assert.match(text, /last whole table: received 12 entries in 0\.2 s, finished, 5s ago/);
  assert.match(text, /read from the kernel at the start: 3 entries$/);
});

const troubles: readonly (readonly [string, Partial<RelayStatus>, RegExp])[] = [
  ['no peer', { connectedSinceUnixMs: null, inSync: false }, /no peer to exchange the table with/],
  ['a table on its way', { phase: 'receiving', inSync: false }, /receiving the peer's table/],
  ['a peer in another mode', { phase: 'waiting-for-peer', inSync: false }, /waiting for the peer/],
  ['parts that differ', { inSync: false, differingBuckets: 4 }, /4 of 1024 parts differ/],
  ['a peer that sees differences', { inSync: false, peerDifferingBuckets: 7 }, /7 of 1024 parts/],
  ['open ports', { portsProtected: false }, /any local user can send to the sync ports/],
  ['a hold', { holding: true }, /does not take over before it has the table/],
  ['refused services', { refusedBuckets: 1 }, /services or servers that this node lacks/],
];

for (const [title, change, pattern] of troubles) {
  test(`the status tells of ${title}`, () => {
    assert.match(syncLines(documentOf(change), plain).join('\n'), pattern);
  });
}
