/** The raw IPv4 socket that carries VRRP advertisements. (Being written.) */
import { TandemError } from '../errors.js';
import type { IpAddress } from '../wire/ipAddress.js';

/** What {@link openVrrpSocket} needs to know. */
export interface VrrpSocketOptions {
  /** Name of the interface that adverts leave and arrive by. */
  readonly interface: string;
  readonly interfaceIndex: number;
  /** Source address of what is sent. */
  readonly source: IpAddress;
}

/** One packet as it arrived. */
export interface ReceivedPacket {
  /** The whole packet, IPv4 header first. */
  readonly bytes: Uint8Array;
  readonly interfaceIndex: number;
  /** When the kernel received it, on the monotonic clock, microseconds. */
  readonly receivedAtUs: number;
}

/** A non-blocking raw socket for IP protocol 112. */
export interface VrrpSocket {
  readonly fd: number;
  /** The next packet; `undefined` when the socket is dry. */
  receive(): ReceivedPacket | undefined;
  /** Sends one VRRP message; the kernel makes the IP header. Default destination 224.0.0.18. */
  send(message: Uint8Array, destination?: IpAddress): void;
  close(): void;
}

export function openVrrpSocket(options: VrrpSocketOptions): VrrpSocket {
  throw new TandemError('INTERNAL', `not written yet: ${options.interface}`);
}
