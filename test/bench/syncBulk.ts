/** A whole table for a director that joins: how fast, how much of it, and what it costs. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RelayStatus } from '../../src/api/statusModel.js';
import { readUdpSockets } from '../../src/kernel/udpSockets.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { encodeSyncMessage } from '../../src/wire/syncMessage.js';
import type { SyncEntry } from '../../src/wire/syncModel.js';
import {
  scanSyncMessage,
  syncEntryBytes,
  syncEntryOffsets,
  syncHeader,
} from '../../src/wire/syncScan.js';
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
/** How often an agent is asked how far it is, in milliseconds: its answers cost time as well. */
const pollIntervalMs = 1_000;
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
  const kernel = await tell(entries);
  const { tableMemoryBytes } = await scene.relayOf(
    'lb1',
    'all is heard',
    (relay) => relay.tableEntries >= entries,
    pollIntervalMs,
  );
  kernel.close();
  const heardSeconds = (performance.now() - startMs) / 1000;
  const before = processorSeconds(scene.processId('lb1'));
  await scene.start('lb2');
  const isWhole = ({ lastBulk }: RelayStatus): boolean =>
    lastBulk?.direction === 'received' && lastBulk.entries >= entries;
  const { lastBulk } = await scene.relayOf('lb2', 'the whole table', isWhole, pollIntervalMs);
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

/**
 * Multicasts entries as the kernel's master daemon does, no faster than the agent reads. The agent
 * asks whose the socket is, so it stays open until all is heard.
 */
async function tell(entries: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setMulticastInterface('127.0.0.1');
  socket.setMulticastTTL(0);
  socket.connect(port, group);
  await once(socket, 'connect');
  for (let at = 0; at < entries; at += entriesPerMessage) {
    socket.send(messageOf(at, Math.min(entriesPerMessage, entries - at)));
    if ((at / entriesPerMessage) % 16 !== 0) continue;
    do await sleep(1);
    while (waiting() > queueBytesMax);
  }
  return socket;
}

function waiting(): number {
  const own = readUdpSockets().filter(({ local }) => local === `${group}:${port}`);
  return Math.max(0, ...own.map(({ receiveQueueBytes }) => receiveQueueBytes));
}

/** A message of so many connections, of ever other clients. */
function messageOf(first: number, count: number): Uint8Array {
  const entries = Array.from({ length: count }, () => anyConnection);
  const message = encodeSyncMessage({ version: 1, syncId: 0, entries });
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  scanSyncMessage(message, (start) => {
    const index = first + Math.floor((start - syncHeader.byteLength) / syncEntryBytes[4]);
    view.setUint16(start + syncEntryOffsets.clientPort, 1_024 + (index % portsPerClient));
    const client = 0x0a_63_00_01 + Math.floor(index / portsPerClient);
    view.setUint32(start + syncEntryOffsets.clientAddress, client);
  });
  return message;
}

const portsPerClient = 60_000;

const anyConnection: SyncEntry = {
  family: 4,
  protocol: 6,
  flags: 0,
  state: 1,
  clientPort: 0,
  virtualPort: servicePort,
  serverPort: 8080,
  firewallMark: 0,
  timeoutSeconds: 900,
  clientAddress: ipAddress('10.99.0.1'),
  virtualAddress: ipAddress('10.77.0.100'),
  serverAddress: ipAddress('10.77.0.10'),
};
