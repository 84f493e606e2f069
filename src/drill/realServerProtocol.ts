/** What the lab says to a real server, and what it hears back. */
import type { IpFamily } from '../wire/ipAddress.js';

/** How a real server behaves. */
export type ServerBehaviour =
  /** Answers with its name. */
  | 'healthy'
  /** Listens no more, and every connection is reset, as when the process is killed. */
  | 'killed'
  /** Answers everything with status 500. */
  | 'error'
  /** Answers with its name, but fails its health checks with status 500. */
  | 'unwell'
  /** Accepts connections and requests, and never answers. */
  | 'hanging';

/** Settings of a real server. */
export interface RealServerSettings {
  readonly name: string;
  readonly family: IpFamily;
  readonly ports: readonly ServerPort[];
  /** For the ports that speak HTTPS; absent: there are none. */
  readonly certificate?: { readonly key: string; readonly cert: string };
}

/** A port that a server listens on, at every address that it has. */
export interface ServerPort {
  readonly port: number;
  readonly tls: boolean;
}

/** A request to the thread of a real server. */
export interface RealServerRequest {
  readonly behaviour: ServerBehaviour;
}

/** The new behaviour holds. */
export interface RealServerReply {
  /** When it began, on the monotonic clock, microseconds. */
  readonly atUs: number;
  readonly requestsAnswered: number;
}

/** The header that says which server answered. */
export const serverNameHeader = 'x-server';

/** The path of an endless slow download. */
export const downloadPath = '/download';

/** The path that health checks ask for. */
export const healthPath = '/healthz';

/** A download sends this many bytes at a time. */
export const downloadChunkBytes = 200;

/** Time between two pieces of a download, in milliseconds. */
export const downloadChunkIntervalMs = 100;
