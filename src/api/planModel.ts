/** What `POST /v1/plan` takes and answers, and `tandem plan --json` prints. */
import { TandemError } from '../errors.js';
import type { IpvsOperation } from '../wire/ipvsModel.js';

/** Largest request with a file in it: tens of thousands of servers, in bytes. */
export const planBytesMax = 32 * 1024 * 1024;

/** A configuration file to try out. */
export interface PlanRequest {
  /** Its name, for messages. */
  readonly file: string;
  readonly text: string;
}

/** One step in VRRP and what belongs to it. */
export interface VrrpStep {
  readonly action: 'add' | 'change' | 'remove';
  /** `router outside`, `address 192.0.2.1/24 of router outside`, `sync group edge`... */
  readonly what: string;
  /** What of it changes, as `key: before -> after`; what a new router is like. */
  readonly details: readonly string[];
}

/** Everything that loading a file would do. */
export interface PlanDocument {
  readonly file: string;
  /** `agent`: compared with what it runs; `kernel`: there is no agent, as a start would do. */
  readonly against: 'agent' | 'kernel';
  readonly vrrp: readonly VrrpStep[];
  /** In the order in which they would be sent, with a line for a person each. */
  readonly ipvs: readonly { readonly operation: IpvsOperation; readonly text: string }[];
  /** Why the reload would be refused, or what could not be looked at; empty when it is fine. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads the body of a request. Throws `USAGE`. */
export function readPlanRequest(body: unknown): PlanRequest {
  const fields = typeof body === 'object' && body !== null ? body : {};
  const { file, text } = fields as Readonly<Record<string, unknown>>;
  if (typeof file === 'string' && typeof text === 'string') return { file, text };
  throw new TandemError('USAGE', 'file and text must be texts');
}
