/**
 * Frames of the peer channel: what cuts the byte stream between the two directors into messages.
 *
 *     0               4           6        7         8
 *     | length u32    | type u16  | ver u8 | zero u8 | payload, `length` bytes
 */
import { bits, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/**
 * The longest payload. The largest message is the configuration digest of 255 virtual routers with
 * 255 IPv6 addresses each, which is about 3 MB.
 */
export const peerPayloadBytesMax = 4 * 1024 * 1024;

const header = packetLayout('peer frame', {
  length: bits(32),
  type: bits(16),
  /** Raised when a type's payload changes so that an older reader would misread it. */
  version: bits(8),
  reserved: bits(8),
});

/** Bytes before the payload. */
export const peerFrameHeaderBytes = header.byteLength;

/** One message before its payload is understood. */
export interface PeerFrame {
  readonly type: number;
  readonly version: number;
  readonly payload: Uint8Array;
}

/** Writes a frame. Throws {@link WireError} `bad-length` when the payload is too long. */
export function encodePeerFrame({ type, version, payload }: PeerFrame): Uint8Array {
  requireLength(payload.length);
  const bytes = new Uint8Array(header.byteLength + payload.length);
  bytes.set(header.encode({ length: payload.length, type, version, reserved: 0 }));
  bytes.set(payload, header.byteLength);
  return bytes;
}

/**
 * Puts frames together from whatever pieces the stream arrives in. It holds one payload at most,
 * whose room is set aside when its length is known, so that tiny pieces cost nothing more.
 */
export class PeerFrameReader {
  readonly #head = new Uint8Array(header.byteLength);
  #headBytes = 0;
  #type = 0;
  #version = 0;
  #payload: Uint8Array | undefined;
  #payloadBytes = 0;

  /** Takes the next piece and gives the frames that it completes. Throws on a length too long. */
  push(piece: Uint8Array): readonly PeerFrame[] {
    const frames: PeerFrame[] = [];
    let rest = piece;
    while (rest.length > 0 || this.#isComplete()) {
      if (this.#payload === undefined) rest = this.#takeHead(rest);
      else rest = this.#takePayload(this.#payload, rest);
      if (!this.#isComplete()) continue;
      const payload = this.#payload ?? new Uint8Array();
      frames.push({ type: this.#type, version: this.#version, payload });
      this.#payload = undefined;
      this.#headBytes = 0;
    }
    return frames;
  }

  #isComplete(): boolean {
    return this.#payload !== undefined && this.#payloadBytes === this.#payload.length;
  }

  #takeHead(piece: Uint8Array): Uint8Array {
    const taken = piece.subarray(0, header.byteLength - this.#headBytes);
    this.#head.set(taken, this.#headBytes);
    this.#headBytes += taken.length;
    if (this.#headBytes === header.byteLength) {
      const { length, type, version } = header.decode(this.#head);
      requireLength(length);
      this.#type = type;
      this.#version = version;
      this.#payload = new Uint8Array(length);
      this.#payloadBytes = 0;
    }
    return piece.subarray(taken.length);
  }

  #takePayload(payload: Uint8Array, piece: Uint8Array): Uint8Array {
    const taken = piece.subarray(0, payload.length - this.#payloadBytes);
    payload.set(taken, this.#payloadBytes);
    this.#payloadBytes += taken.length;
    return piece.subarray(taken.length);
  }
}

function requireLength(length: number): void {
  if (length <= peerPayloadBytesMax) return;
  throw new WireError(
    'bad-length',
    `peer frame: a payload of ${length} bytes where ${peerPayloadBytesMax} are the most`,
  );
}
