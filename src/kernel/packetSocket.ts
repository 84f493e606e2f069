/** The packet socket that carries whole link-layer frames. (Being written.) */
import { TandemError } from '../errors.js';

export interface PacketSocketOptions {
  readonly interfaceIndex: number;
  /** The EtherType to receive, or every one of them. */
  readonly etherType: number | 'all';
  /** Whether frames are to be received at all. */
  readonly receive: boolean;
}

export interface ReceivedFrame {
  /** The whole frame, link-layer header first. */
  readonly bytes: Uint8Array;
  /** When the kernel received it, on the monotonic clock, microseconds. */
  readonly receivedAtUs: number;
  /** Whether this machine sent it. */
  readonly outgoing: boolean;
}

export interface PacketSocket {
  readonly fd: number;
  send(frame: Uint8Array): void;
  /** The next frame; `undefined` when the socket is dry. */
  receive(): ReceivedFrame | undefined;
  close(): void;
}

export function openPacketSocket(options: PacketSocketOptions): PacketSocket {
  throw new TandemError('INTERNAL', `not written yet: ${options.interfaceIndex}`);
}
