/** What `POST /v1/failover` takes and answers. */
import type { IpAddress } from '../wire/ipAddress.js';

/** Longest time that a router can be told to step down for: a day, in milliseconds. */
export const failoverMaxMs = 86_400_000;

/** Asks this node to step down. */
export interface FailoverRequest {
  /** One virtual router, with those of its sync group; absent: all of this node. */
  readonly router?: string;
  /** For how long; 0 takes an earlier request back. */
  readonly forMs: number;
  /** Whether the request lasts although nobody takes the place. */
  readonly force: boolean;
}

/** What came of it. */
export interface FailoverResult {
  /** One line for a person. */
  readonly message: string;
  /** The virtual routers that were Active here. */
  readonly routers: readonly {
    readonly name: string;
    /** Who took over; null: nobody, and the addresses are still here. */
    readonly takenBy: IpAddress | null;
  }[];
  /** When this node takes part as before; null: it does now. */
  readonly untilUnixMs: number | null;
}
