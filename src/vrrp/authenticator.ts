/**
 * The keys of a virtual router, the sequence of what it has sent, and the sequences of those that
 * it has heard.
 */
import type { IpAddress } from '../wire/ipAddress.js';
import {
  type HmacKey,
  multicastMarksMax,
  nextSequence,
  type ReplayMark,
  signTrailer,
  takeMark,
  type VerifiedTrailer,
} from '../wire/vrrpAuthentication.js';
import type { RouterExpectation } from '../wire/vrrpReceive.js';
import type { HmacSpec, VirtualRouterSpec } from './protocol.js';

/** The authentication of one virtual router. */
export class Authenticator {
  readonly #spec: HmacSpec;
  readonly #keys: readonly HmacKey[];
  readonly #marksMax: number;
  #sentSequence: bigint | undefined;
  #marks: readonly ReplayMark[] = [];

  /** `keys` are those of the settings, read; `previous` has what was sent and heard so far. */
  constructor(
    spec: Pick<VirtualRouterSpec, 'unicast'> & { readonly hmac: HmacSpec },
    keys: readonly HmacKey[],
    previous?: Authenticator,
  ) {
    this.#spec = spec.hmac;
    this.#keys = keys;
    // Only configured peers are heard in unicast, so each has a place of its own.
    this.#marksMax = spec.unicast?.peers.length ?? multicastMarksMax;
    if (previous === undefined) return;
    this.#sentSequence = previous.#sentSequence;
    this.#marks = previous.#marks;
  }

  /** The trailer of a message; `undefined` while none is to be sent. */
  sign(message: Uint8Array, source: IpAddress, unixMs: number): Uint8Array | undefined {
    const key = this.#keys.find(({ id }) => id === this.#spec.sendKeyId);
    if (this.#spec.mode === 'receive-only' || key === undefined) return undefined;
    this.#sentSequence = nextSequence(this.#sentSequence, unixMs);
    return signTrailer(message, source, key, this.#sentSequence);
  }

  /** What a received message is judged by. */
  get verifier(): NonNullable<RouterExpectation['hmac']> {
    const { antiReplay, windowSeconds, mode } = this.#spec;
    return {
      keys: this.#keys,
      antiReplay,
      windowSeconds,
      marks: this.#marks,
      required: mode === 'enforce',
    };
  }

  /** A message passed every check: what came before it is refused from now on. */
  accept(source: IpAddress, { sequence }: VerifiedTrailer, receivedUs: number): void {
    const mark = { source, sequence, takenUs: receivedUs };
    this.#marks = takeMark(this.#marks, mark, this.#marksMax);
  }

  /** Whether the clock of a sender is so far off that it will soon not be believed any more. */
  isClockDoubtful({ skewSeconds }: VerifiedTrailer): boolean {
    const { antiReplay, windowSeconds } = this.#spec;
    return antiReplay === 'time' && Math.abs(skewSeconds) * 2 > windowSeconds;
  }
}
