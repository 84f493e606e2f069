/** Values that the tests of the drills are made from. Times are in milliseconds, for reading. */
import type { CapturedFrame } from '../../../src/drill/capture.js';
import { drillLimits } from '../../../src/drill/drillLimits.js';
import type { ProcConnection, ProcServer } from '../../../src/drill/ipvsProcTable.js';
import type { DownloadRecord, LoadResult, RequestRecord } from '../../../src/drill/loadProtocol.js';
import { natTopology } from '../../../src/drill/natTopologies.js';
import type { Observation } from '../../../src/drill/observation.js';
import { virtualAddresses } from '../../../src/drill/observation.js';
import { type Scenario, scenarios } from '../../../src/drill/scenario.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { vrrpGroup } from '../../../src/wire/vrrp.js';

/** A request that a server answered. */
export function answer(sentMs: number, endedMs: number, server = 'rs1'): RequestRecord {
  return { sentUs: sentMs * 1_000, endedUs: endedMs * 1_000, result: { server } };
}

/** A request that was not answered in time. */
export function timeout(sentMs: number, endedMs: number): RequestRecord {
  return { sentUs: sentMs * 1_000, endedUs: endedMs * 1_000, result: { failure: 'timeout' } };
}

/** Six turns of the weights 3, 2 and 1. */
const round = ['rs1', 'rs1', 'rs2', 'rs1', 'rs2', 'rs3'];

/** Answers every 10 ms, by turns as the weights 3, 2 and 1 say. */
export function answersBetween(fromMs: number, toMs: number): RequestRecord[] {
  const count = Math.floor((toMs - fromMs) / 10);
  return Array.from({ length: count }, (_, index) =>
    answer(fromMs + index * 10, fromMs + index * 10 + 2, round[index % round.length]),
  );
}

/** A download whose bytes came in these stretches of time. */
export function download(
  localPort: number,
  server: string,
  stretchesMs: readonly (readonly [number, number])[],
  ended: DownloadRecord['ended'] = null,
): DownloadRecord {
  const arrivalsUs = stretchesMs.flatMap(([fromMs, toMs]) =>
    Array.from({ length: (toMs - fromMs) / 100 }, (_, index) => (fromMs + index * 100) * 1_000),
  );
  return { localAddress: firstProber(), localPort, server, arrivalsUs, ended };
}

function firstProber(): DownloadRecord['localAddress'] {
  return natTopology.clients.probers[0] ?? ipAddress('192.0.2.1');
}

/** The address of a persistent client. */
export function persistentClientAddress(index: number): DownloadRecord['localAddress'] {
  return natTopology.clients.persistent[index] ?? ipAddress('192.0.2.1');
}

/** A template of a persistent client in a director's table. */
export function template(index: number): ProcConnection {
  return connection(persistentClientAddress(index), 0);
}

/** The connection of a download in a director's table. */
export function downloadConnection(localPort: number): ProcConnection {
  return connection(firstProber(), localPort);
}

function connection(clientAddress: ProcConnection['clientAddress'], clientPort: number) {
  return {
    clientAddress,
    clientPort,
    virtualAddress: natTopology.serviceAddress,
    virtualPort: 8080,
    serverAddress: ipAddress('192.168.0.10'),
    serverPort: 8080,
    state: 'NONE',
  };
}

/** The kernel's table when all servers have their weights. */
export function fullTable(): ProcServer[] {
  return natTopology.services.flatMap(({ listeners: [service] }) =>
    natTopology.servers.map(({ address, weight }) => ({
      service,
      address,
      port: service.port,
      weight,
    })),
  );
}

/** The scenario of a name. */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new RangeError(`no scenario ${name}`);
  return found;
}

/** An advert on the wire. */
export function advert(atMs: number, source: string): CapturedFrame {
  return {
    kind: 'advert',
    atUs: atMs * 1_000,
    source: ipAddress(source),
    destination: vrrpGroup(4),
    macAddress: '02:00:00:00:00:01',
    version: 3,
    vrid: 51,
    priority: 100,
  };
}

/** A gratuitous ARP of the service's address on the wire. */
export function gratuitousArp(atMs: number, macAddress = '02:00:00:00:00:02'): CapturedFrame {
  const address = natTopology.serviceAddress;
  return { kind: 'gratuitous-arp', atUs: atMs * 1_000, address, macAddress };
}

/**
 * A crash at 10,000 ms that went well: a gap of 3 s, both persistent clients and both downloads
 * known to the standby and alive at the end.
 */
export function goodCrash(changes: Partial<Observation> = {}): Observation {
  const load: LoadResult = {
    requests: [
      ...answersBetween(0, 10_000),
      timeout(10_500, 12_500),
      ...answersBetween(13_000, 20_000),
    ],
    skipped: 0,
    latenessMaxUs: 1_500,
    stalledUs: 0,
    recordsDropped: 0,
    persistent: [0, 1].map((index) => ({
      address: persistentClientAddress(index),
      requests: [answer(9_000, 9_001, `rs${index + 1}`), answer(14_000, 14_001, `rs${index + 1}`)],
    })),
    downloads: [1, 2].map((index) =>
      download(40_000 + index, `rs${index}`, [
        [0, 10_000],
        [13_500, 20_000],
      ]),
    ),
  };
  return {
    scenario: scenarioNamed('director-crash'),
    topology: natTopology,
    limits: drillLimits('host'),
    startedUnixMs: 0,
    durationMs: 30_000,
    activeBefore: 'lb1',
    activeAfter: 'lb2',
    activeAfterMacAddress: '02:00:00:00:00:02',
    turns: answersBetween(-120, 0),
    serverAnswers: 0,
    loadFromUs: 0,
    faultUs: 10_000_000,
    endUs: 20_000_000,
    weightZeroUs: undefined,
    healedUs: undefined,
    weightBackUs: undefined,
    standbyConnections: [
      template(0),
      template(1),
      downloadConnection(40_001),
      downloadConnection(40_002),
    ],
    serversAtEnd: fullTable(),
    addressesAtEnd: new Map([['lb2', virtualAddresses(natTopology)]]),
    load,
    frames: [
      advert(8_400, '172.25.254.101'),
      advert(9_400, '172.25.254.101'),
      advert(13_000, '172.25.254.102'),
      gratuitousArp(13_002),
      advert(14_000, '172.25.254.102'),
    ],
    framesDropped: 0,
    events: [{ atUs: 10_000_000, what: 'kill -9' }],
    ...changes,
  };
}
