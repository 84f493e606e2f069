/**
 * A peer that has fallen into wrong hands: it has the key, and sends entries as fast as it can,
 * whatever the agent answers. It is the real thread of the peer channel, without a relay behind it.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { FromChannel, ToChannel } from '../../src/peer/dataProtocol.js';
import { windowEntries } from '../../src/sync/outgoing.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import {
  channelEntriesMax,
  encodeEntriesHeader,
  encodeSyncControl,
  stampBytes,
} from '../../src/wire/syncChannel.js';
import { encodeSyncEntry } from '../../src/wire/syncMessage.js';
import type { SyncEntry } from '../../src/wire/syncModel.js';
import { keyA, makeSettings, WatchedPeer } from '../unit/peer/support.js';
import { eventually, ipvsTest } from './ipvsSupport.js';
import { peerPort, RelayScene } from './syncRelaySupport.js';

/** Messages of one burst, each as long as may be: three times what may be under way. */
const burstMessages = (3 * windowEntries) / channelEntriesMax;

/** Between two bursts, in milliseconds: the rogue's own thread must send what it is given. */
const pauseMs = 5;

/** Answers of the agent that are awaited while it refuses what is too much. */
const answersWanted = 5;

ipvsTest('a flood of entries from the peer is bounded and counted, and ends', async (_, t) => {
  const scene = await RelayScene.prepare(t);
  scene.writeKey('lb1', `${keyA.id}:${keyA.hex}\n`);
  scene.writeConfig('lb1', (text) => text.replace(/^services:\n/m, `${router}services:\n`));
  await scene.start('lb1');
  // An agent answers before its vrrp thread has told of the router.
  await eventually(async () => {
    const { virtualRouters } = await scene.status('lb1');
    return virtualRouters.some(({ state }) => state === 'active');
  }, 'lb1 is Active');
  const before = await routerOf(scene);
  const rogue = await Rogue.connect(t, scene);
  await scene.relayOf('lb1', 'the announcement', ({ phase }) => phase === 'receiving');

  let answers = 0;
  let isOver = false;
  const flood = (async () => {
    while (answers < answersWanted) await rogue.burst();
    isOver = true;
  })();
  while (!isOver) {
    const dropped = (await scene.status('lb1')).connectionSync.relay?.counters.dropped;
    if (dropped !== undefined && dropped.overWindow + dropped.channel > 0) answers += 1;
  }
  await flood;

  // Every message was worked off, or is counted with the reason why not.
  const { counters, tableEntries } = await scene.relayOf('lb1', 'every message', (relay) => {
    const { received, dropped } = relay.counters;
    const workedOff = received / channelEntriesMax;
    return workedOff + dropped.overWindow + dropped.channel === rogue.arrived;
  });
  const { overWindow, channel } = counters.dropped;
  t.diagnostic(
    `${rogue.arrived * channelEntriesMax} entries came, ${counters.injected} were taken, ` +
      `${overWindow} messages were over the window, ${channel} over the channel's bound`,
  );
  assert.equal(counters.injected, counters.received);
  assert.ok(tableEntries <= counters.received);
  // The election went on as if nothing were.
  assert.deepEqual(await routerOf(scene), before);

  // What the peer tells afterwards within its window comes in.
  rogue.send(entriesMessage([connection(60_000)]));
  const wanted = 'TCP 0A630001 EA60 0A4D0064 0050';
  await eventually(
    async () => scene.connections('lb1').some((row) => row.startsWith(wanted)),
    'the entry after the flood',
  );
});

const router =
  'virtualRouters:\n  - { name: vip, vrid: 51, interface: cable,' +
  ' priority: { lb1: 150, lb2: 100 },' +
  " advertInterval: 200ms, addresses: ['10.88.0.100/24'] }\n";

/** What would change if the election were disturbed. */
async function routerOf(scene: RelayScene) {
  const [router] = (await scene.status('lb1')).virtualRouters;
  assert.ok(router);
  const { state, sinceUnixMs } = router;
  return { state, sinceUnixMs };
}

/** The peer, in the namespace of the second director. */
class Rogue {
  readonly #port: MessagePort;
  readonly #messages: readonly Uint8Array<ArrayBuffer>[];
  #sent = 0;
  #neverLeft = 0;

  private constructor(port: MessagePort) {
    this.#port = port;
    this.#messages = Array.from({ length: burstMessages }, (_, index) =>
      entriesMessage(
        Array.from({ length: channelEntriesMax }, (_, at) =>
          connection((index * channelEntriesMax + at) % 50_000),
        ),
      ),
    );
  }

  static async connect(context: TestContext, scene: RelayScene): Promise<Rogue> {
    const paths = [{ own: ipAddress('10.88.0.2'), peer: ipAddress('10.88.0.1') }];
    const settings = makeSettings('lb2', peerPort, { cluster: 'relay', paths });
    const peer = new WatchedPeer(context, settings, scene.otherPath);
    const { port1, port2 } = new MessageChannel();
    context.after(() => port1.close());
    const rogue = new Rogue(port1);
    const opened = new Promise<void>((resolve) => {
      port1.on('message', (message: FromChannel) => {
        if (message.type === 'open') resolve();
        else if (message.type === 'dropped') rogue.#neverLeft += message.sent;
        else if (message.type === 'data')
          rogue.#tell({ type: 'taken', bytes: message.bytes.length });
      });
    });
    peer.thread.post({ type: 'dataPort', port: port2 }, [port2]);
    await opened;
    const announce = { type: 'announce', epoch: 66, nowDs: 1, window: windowEntries } as const;
    rogue.#tell({ type: 'send', bytes: encodeSyncControl(announce) });
    return rogue;
  }

  /** Messages of entries that have reached the agent, or will. */
  get arrived(): number {
    return this.#sent - this.#neverLeft;
  }

  /** More than may be under way, whatever was answered. */
  async burst(): Promise<void> {
    for (const message of this.#messages) this.send(message);
    await sleep(pauseMs);
  }

  send(bytes: Uint8Array): void {
    this.#sent += 1;
    this.#tell({ type: 'send', bytes });
  }

  #tell(message: ToChannel): void {
    this.#port.postMessage(message);
  }
}

function entriesMessage(entries: readonly SyncEntry[]): Uint8Array<ArrayBuffer> {
  const header = { purpose: 'relay', count: entries.length, sequence: 1, nowDs: 1 } as const;
  // Each entry behind the time of its own clock, 0 here.
  const parts = entries.flatMap((entry) => [new Uint8Array(stampBytes), encodeSyncEntry(entry)]);
  return Uint8Array.from(Buffer.concat([encodeEntriesHeader(header), ...parts]));
}

/** A connection to the first service of the scene. */
function connection(clientPort: number): SyncEntry {
  return {
    family: 4,
    protocol: 6,
    flags: 0,
    state: 1,
    clientPort,
    virtualPort: 80,
    serverPort: 8080,
    firewallMark: 0,
    timeoutSeconds: 900,
    clientAddress: ipAddress('10.99.0.1'),
    virtualAddress: ipAddress('10.77.0.100'),
    serverAddress: ipAddress('10.77.0.10'),
  };
}
