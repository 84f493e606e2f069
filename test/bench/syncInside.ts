/** The inner half of the benchmark of the relay; it runs in the embedded kernel. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readUdpSockets } from '../../src/kernel/udpSockets.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { encodeSyncMessage } from '../../src/wire/syncMessage.js';
import type { SyncEntry } from '../../src/wire/syncModel.js';
import { RelayScene } from '../embedded/syncRelaySupport.js';
import { resultMark, type SyncResult } from './syncModel.js';

const group = '224.0.0.81';
const port = 8848;
/** What the kernel puts into a message on Ethernet. */
const entriesPerMessage = 40;
/** What may wait for the agent, in bytes. */
const queueBytesMax = 512 * 1024;
/** Clock ticks of /proc/PID/stat in a second. */
const ticksPerSecond = 100;

const count = Number(process.argv[2]);
const added = Math.ceil(count / 10);
const ends: (() => unknown)[] = [];
try {
  const scene = await RelayScene.prepare({
    after: (end) => void (end !== undefined && ends.push(end as () => unknown)),
  });
  const result = await measure(scene);
  console.log(`${resultMark}${JSON.stringify(result)}`);
} finally {
  for (const end of ends.toReversed()) await end();
}
process.exit(0);

async function measure(scene: RelayScene): Promise<SyncResult> {
  await scene.start('lb1');
  await scene.relayOf('lb1', 'its start', ({ seed }) => seed !== null);
  const heard = await timed(async () => {
    await tell(0, count);
    await settled(scene, 'lb1', (relay) => relay.counters.heard === count);
  });
  const before = processorSeconds(scene.processId('lb1'));
  await scene.start('lb2');
  const { lastBulk, tableMemoryBytes } = await settled(
    scene,
    'lb2',
    (relay) => relay.lastBulk?.finished === true && relay.lastBulk.entries >= count,
  );
  const procRead = await timed(async () => void scene.connections('lb2').length);
  const rows = scene.connections('lb2').length;
  const lag = await timed(async () => {
    await tell(count, added);
    await settled(scene, 'lb2', (relay) => relay.counters.injected >= count + added);
  });
  const { lagMs } = await settled(scene, 'lb1', ({ waitingEntries }) => waitingEntries === 0);
  const { counters } = await scene.relayOf('lb2', 'the end');
  return {
    heard: { entries: count, seconds: heard },
    bulk: { entries: count, seconds: lastBulk?.seconds ?? 0, missing: count - rows },
    relay: {
      entries: added,
      seconds: lag,
      missing: count + added - scene.connections('lb2').length,
      lagP99Ms: lagMs?.p99 ?? 0,
    },
    procRead: { entries: rows, seconds: procRead },
    tableBytesPerEntry: tableMemoryBytes / count,
    droppedBeforeKernel: counters.dropped.beforeKernel,
    cpuSeconds: {
      sender: processorSeconds(scene.processId('lb1')) - before,
      receiver: processorSeconds(scene.processId('lb2')),
    },
  };
}

/** Waits longer than a test would: a large table takes its time. */
async function settled(
  scene: RelayScene,
  node: 'lb1' | 'lb2',
  isWanted: Parameters<RelayScene['relayOf']>[2] & object,
) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await scene.relayOf(node, 'as wanted', isWanted);
    } catch (error) {
      if (tries === 4) throw error;
    }
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}

/** Multicasts entries as the kernel's master daemon does, no faster than the agent reads. */
async function tell(first: number, entries: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  socket.setMulticastTTL(0);
  socket.connect(port, group);
  await once(socket, 'connect');
  for (let at = first; at < first + entries; at += entriesPerMessage) {
    const part = Array.from(
      { length: Math.min(entriesPerMessage, first + entries - at) },
      (_, index) => connection(at + index),
    );
    socket.send(encodeSyncMessage({ version: 1, syncId: 0, entries: part }));
    if ((at / entriesPerMessage) % 16 !== 0) continue;
    do await sleep(1);
    while (waiting() > queueBytesMax);
  }
  socket.close();
}

function waiting(): number {
  const own = readUdpSockets().filter(({ local }) => local === `${group}:${port}`);
  return Math.max(0, ...own.map(({ receiveQueueBytes }) => receiveQueueBytes));
}

function connection(index: number): SyncEntry {
  return {
    family: 4,
    protocol: 6,
    flags: 0,
    state: 1,
    clientPort: 1_024 + (index % 60_000),
    virtualPort: 80,
    serverPort: 8080,
    firewallMark: 0,
    timeoutSeconds: 900,
    clientAddress: ipAddress(`10.99.0.${1 + Math.floor(index / 60_000)}`),
    virtualAddress: ipAddress('10.77.0.100'),
    serverAddress: ipAddress('10.77.0.10'),
  };
}

/** User and system time of a process, all threads. */
function processorSeconds(processId: number): number {
  const text = readFileSync(`/proc/${processId}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
