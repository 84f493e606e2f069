/** A whole table for a director that joins: how fast, how much of it, and what it costs. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readUdpSockets } from '../../src/kernel/udpSockets.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { encodeSyncMessage } from '../../src/wire/syncMessage.js';
import type { SyncEntry } from '../../src/wire/syncModel.js';
import type { RelayScene } from '../embedded/syncRelaySupport.js';
import { countedConnections } from './syncFlood.js';
import type { BulkPart } from './syncModel.js';

const group = '224.0.0.81';
const port = 8848;
const servicePort = 80;
/** What the kernel puts into a message on Ethernet. */
const entriesPerMessage = 40;
/** What may wait for the agent, in bytes. */
const queueBytesMax = 512 * 1024;
/** Clock ticks of /proc/PID/stat in a second. */
const ticksPerSecond = 100;

/** Tells one director of so many connections, and lets the other one join. */
export async function measureBulk(
  scene: RelayScene,
  entries: number,
  readsProc: boolean,
): Promise<BulkPart> {
  await scene.start('lb1');
  await scene.relayOf('lb1', 'its start', ({ seed }) => seed !== null);
  const startMs = performance.now();
  await tell(entries);
  const { tableMemoryBytes } = await scene.relayOf('lb1', 'all is heard', (relay) => {
    return relay.tableEntries >= entries;
  });
  const heardSeconds = (performance.now() - startMs) / 1000;
  const before = processorSeconds(scene.processId('lb1'));
  await scene.start('lb2');
  await scene.relayOf('lb2', 'the whole table', ({ phase, tableEntries }) => {
    return phase === 'received' && tableEntries >= entries;
  });
  const { lastBulk } = await scene.relayOf('lb1', 'the table was sent', ({ lastBulk }) => {
    return lastBulk?.direction === 'sent' && lastBulk.entries >= entries;
  });
  const cpuSeconds = {
    sender: processorSeconds(scene.processId('lb1')) - before,
    receiver: processorSeconds(scene.processId('lb2')),
  };
  const residentMegabytes = {
    sender: residentMegabytesOf(scene.processId('lb1')),
    receiver: residentMegabytesOf(scene.processId('lb2')),
  };
  const { counters } = await scene.relayOf('lb2', 'both agree', ({ inSync }) => inSync);
  const arrived = scene.onOther(() => countedConnections(servicePort));
  let procSeconds: number | null = null;
  if (readsProc) {
    const readMs = performance.now();
    scene.onOther(() => readFileSync('/proc/thread-self/net/ip_vs_conn'));
    procSeconds = (performance.now() - readMs) / 1000;
  }
  return {
    part: 'bulk',
    entries,
    heardSeconds,
    seconds: lastBulk?.seconds ?? 0,
    arrived,
    tableBytesPerEntry: tableMemoryBytes / entries,
    droppedBeforeKernel: counters.dropped.beforeKernel,
    cpuSeconds,
    residentMegabytes,
    procSeconds,
  };
}

/** User and system time of a process, all threads, in seconds. */
export function processorSeconds(processId: number): number {
  const text = readFileSync(`/proc/${processId}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function residentMegabytesOf(processId: number): number {
  const text = readFileSync(`/proc/${processId}/status`, 'latin1');
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1]) / 1024);
}

/** Multicasts entries as the kernel's master daemon does, no faster than the agent reads. */
async function tell(entries: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  socket.setMulticastTTL(0);
  socket.connect(port, group);
  await once(socket, 'connect');
  for (let at = 0; at < entries; at += entriesPerMessage) {
    const part = Array.from({ length: Math.min(entriesPerMessage, entries - at) }, (_, index) =>
      connection(at + index),
    );
    socket.send(encodeSyncMessage({ version: 1, syncId: 0, entries: part }));
    if ((at / entriesPerMessage) % 16 !== 0) continue;
    do await sleep(1);
    while (waiting() > queueBytesMax);
  }
  // What is still in the socket's queue goes before the end.
  await sleep(1);
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
    virtualPort: servicePort,
    serverPort: 8080,
    firewallMark: 0,
    timeoutSeconds: 900,
    clientAddress: ipAddress(`10.99.0.${1 + Math.floor(index / 60_000)}`),
    virtualAddress: ipAddress('10.77.0.100'),
    serverAddress: ipAddress('10.77.0.10'),
  };
}
