/** What the lab says to the client thread, and the measurements that it hears back. */
import type { IpAddress } from '../wire/ipAddress.js';
import type { TopologyListener } from './topology.js';

/** Why a request failed. */
export type RequestFailure =
  /** No complete answer within the request's time limit. */
  | 'timeout'
  | 'refused'
  | 'reset'
  | 'unreachable'
  /** An answer with another status than 200. */
  | 'bad-status'
  /** An answer that is not HTTP, or ends early. */
  | 'malformed'
  /** No port or descriptor was free here: says nothing of the directors. */
  | 'local';

/** One request and what became of it. Times are monotonic microseconds. */
export interface RequestRecord {
  readonly sentUs: number;
  readonly endedUs: number;
  /** The server that answered, or why none did. */
  readonly result: { readonly server: string } | { readonly failure: RequestFailure };
}

/** Requests of one persistent client. */
export interface PersistentClientRecord {
  readonly address: IpAddress;
  readonly requests: readonly RequestRecord[];
}

/** One long download. */
export interface DownloadRecord {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  /** The server that sends it; null when it never began. */
  readonly server: string | null;
  /** When bytes arrived, rounded down to {@link downloadSlotUs}, each slot once. */
  readonly arrivalsUs: readonly number[];
  /** When and why the connection ended; null while it is open. */
  readonly ended: { readonly atUs: number; readonly reason: RequestFailure | 'closed' } | null;
}

/** Resolution of {@link DownloadRecord.arrivalsUs}. */
export const downloadSlotUs = 100_000;

/** What the client node does. */
export interface LoadSettings {
  /** How long a request may take. Time in which the client's thread stood still does not count. */
  readonly timeoutMs: number;
  readonly prober: {
    /** Everything goes to the first; single turns of the scheduler are tried at all of them. */
    readonly listeners: readonly [TopologyListener, ...TopologyListener[]];
    readonly intervalMs: number;
    /** Requests that may be under way at once; a due request beyond is skipped and counted. */
    readonly inFlightMax: number;
    readonly sourceAddresses: readonly IpAddress[];
  };
  readonly persistent: {
    /** Each client asks at them by turns: it shall find the same server at all of them. */
    readonly listeners: readonly [TopologyListener, ...TopologyListener[]];
    readonly intervalMs: number;
    readonly clientAddresses: readonly IpAddress[];
  };
  readonly downloads: { readonly listener: TopologyListener; readonly count: number };
}

/** A request to the client thread. */
export type LoadRequest =
  /** Sends requests one after the other, before the load, and tells who answered each. */
  | { readonly type: 'take-turns'; readonly count: number }
  | { readonly type: 'start' }
  | { readonly type: 'progress' }
  /** Stops sending, waits for what is under way, and gives all measurements. */
  | { readonly type: 'finish' };

/** Counts while the load runs. */
export interface LoadProgress {
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly answersPerServer: Readonly<Record<string, number>>;
  /** Persistent clients that have had an answer. */
  readonly persistentAnswered: number;
  /** When each persistent client was last answered; null: never. */
  readonly persistentLastAnswersUs: readonly (number | null)[];
  /** Downloads that have had bytes within the last second. */
  readonly downloadsFlowing: number;
  /** The downloads' own ends, by which the directors' tables know them. */
  readonly downloads: readonly Pick<DownloadRecord, 'localAddress' | 'localPort' | 'server'>[];
  /** When the last answer came, monotonic microseconds; null before the first. */
  readonly lastAnswerUs: number | null;
}

/** All measurements of a load. */
export interface LoadResult {
  readonly requests: readonly RequestRecord[];
  /** Due requests that were not sent: `inFlightMax` were under way, or the thread was late. */
  readonly skipped: number;
  /** Greatest lateness of a due request, in microseconds: how far the measurement can be off. */
  readonly latenessMaxUs: number;
  /** How long the thread stood still in all, in microseconds: the machine was busy elsewhere. */
  readonly stalledUs: number;
  /** Records beyond the bound, which are counted and not kept. */
  readonly recordsDropped: number;
  readonly persistent: readonly PersistentClientRecord[];
  readonly downloads: readonly DownloadRecord[];
}

/** A reply of the client thread. */
export type LoadReply =
  | { readonly type: 'turns'; readonly turns: readonly RequestRecord[] }
  | { readonly type: 'started' }
  | { readonly type: 'progress'; readonly progress: LoadProgress }
  | { readonly type: 'finished'; readonly result: LoadResult };
