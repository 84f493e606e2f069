/** Why a codec could not read or write bytes; a closed set, so that callers can count by it. */
export type WireErrorReason =
  /** Fewer bytes than the layout needs. */
  | 'truncated'
  /** A length field contradicts the bytes around it. */
  | 'bad-length'
  /** A field holds a value that the layout does not allow. */
  | 'bad-value'
  /** A value that must be present is absent. */
  | 'missing';

/** The only error that a codec of the wire layer throws, whatever bytes it is given. */
export class WireError extends Error {
  readonly reason: WireErrorReason;

  constructor(reason: WireErrorReason, message: string) {
    super(message);
    this.name = 'WireError';
    this.reason = reason;
  }
}
