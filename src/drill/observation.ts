/** Everything that one run of a scenario has seen; the report and the promises follow from it. */
import { type IpAddress, isLinkLocal } from '../wire/ipAddress.js';
import type { CapturedFrame } from './capture.js';
import type { DrillLimits } from './drillLimits.js';
import type { ProcConnection, ProcServer } from './ipvsProcTable.js';
import type { DownloadRecord, LoadResult, RequestRecord } from './loadProtocol.js';
import type { Span } from './measurements.js';
import type { Scenario } from './scenario.js';
import type { Topology } from './topology.js';

/** What happened, by its monotonic time. */
export interface ObservedEvent {
  readonly atUs: number;
  readonly what: string;
}

/** One run. Times are monotonic microseconds. */
export interface Observation {
  readonly scenario: Scenario;
  readonly topology: Topology;
  readonly limits: DrillLimits;
  readonly startedUnixMs: number;
  readonly durationMs: number;
  readonly activeBefore: string;
  readonly activeAfter: string;
  /** The MAC address of that director in the clients' network. */
  readonly activeAfterMacAddress: string;
  /** Requests of before the load, one after the other. */
  readonly turns: readonly RequestRecord[];
  /** Of those, the answers that left a server with the address of the service. */
  readonly serverAnswers: number;
  /** When the load began. */
  readonly loadFromUs: number;
  readonly faultUs: number;
  /** When measuring ended. */
  readonly endUs: number;
  /** The weight of the failed server became 0 in the kernel of the Active. */
  readonly weightZeroUs: number | undefined;
  /** The failed server was made healthy again, and then had its weight. */
  readonly healedUs: number | undefined;
  readonly weightBackUs: number | undefined;
  /** The standby's connections at the fault. */
  readonly standbyConnections: readonly ProcConnection[];
  /** The servers in the kernel of the Active at the end. */
  readonly serversAtEnd: readonly ProcServer[];
  /** Addresses of each director that can be reached at the end. */
  readonly addressesAtEnd: ReadonlyMap<string, readonly IpAddress[]>;
  readonly load: LoadResult;
  readonly frames: readonly CapturedFrame[];
  readonly framesDropped: number;
  readonly events: readonly ObservedEvent[];
}

/** The server that the scenario breaks, if it breaks one. */
export function failedServer(scenario: Scenario): string | undefined {
  return scenario.fault.find((action) => action.kind === 'server')?.server;
}

/** The whole time of measuring, from the first answer: the start of the load is no gap. */
export function loadSpan({ load, loadFromUs, endUs }: Observation): Span {
  const first = load.requests.find(({ result }) => 'server' in result);
  return { fromUs: Math.min(first?.endedUs ?? loadFromUs, endUs), toUs: endUs };
}

/** Whether the standby had a client's persistence template at the fault. */
export function isTemplateSynced(
  connections: readonly ProcConnection[],
  client: IpAddress,
): boolean {
  return connections.some(
    ({ clientAddress, clientPort }) => clientPort === 0 && clientAddress === client,
  );
}

/** Whether the standby had a download's connection at the fault. */
export function isDownloadSynced(
  connections: readonly ProcConnection[],
  download: Pick<DownloadRecord, 'localAddress' | 'localPort'>,
): boolean {
  return connections.some(
    ({ clientAddress, clientPort }) =>
      clientPort === download.localPort && clientAddress === download.localAddress,
  );
}

/** The directors that hold each virtual address at the end. */
export function holdersAtEnd(observation: Observation): Readonly<Record<string, string[]>> {
  return Object.fromEntries(
    virtualAddresses(observation.topology).map((address) => [
      address,
      [...observation.addressesAtEnd]
        .filter(([, addresses]) => addresses.includes(address))
        .map(([director]) => director),
    ]),
  );
}

/** Every address that moves. */
export function virtualAddresses({ virtualRouters }: Topology): readonly IpAddress[] {
  return virtualRouters.flatMap(({ addresses }) => addresses.map(({ address }) => address));
}

/** The address that a director sends its adverts from, in the network of the services. */
export function directorAddress(topology: Topology, director: string): IpAddress | undefined {
  const node = topology.nodes.find(({ name }) => name === director);
  const link = node?.interfaces.find(({ network }) => network === topology.serviceNetwork);
  // IPv6 adverts are sent from the link-local address (RFC 9568, 5.1.2.1), which is the last.
  const addresses = link?.addresses.map(({ address }) => address) ?? [];
  return addresses.find(isLinkLocal) ?? addresses[0];
}
