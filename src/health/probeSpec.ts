/**
 * What the probes are told: everything that is asked of a server, and what must come back. All of
 * it survives structured cloning, and two checks whose specifications are equal may share a probe.
 */

/** An inclusive range of HTTP status codes. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** What is asked of a server, and what must come back. */
export type ProbeSpec =
  | { readonly type: 'tcp' }
  | {
      readonly type: 'http';
      readonly method: 'GET' | 'HEAD' | 'POST' | 'OPTIONS';
      readonly path: string;
      /** Value of the Host header; absent: the server's address and port. */
      readonly host?: string;
      readonly expectStatus: readonly StatusRange[];
      /** The body must contain this text. */
      readonly bodyContains?: string;
      /** The body must match this regular expression (JavaScript, flag u). */
      readonly bodyMatches?: string;
    };
