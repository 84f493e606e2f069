/**
 * One network interface as the election uses it: the raw socket for advertisements, the packet
 * socket for announcements, and the source address that both ends compare.
 */
import { openPacketSocket, type PacketSocket } from '../kernel/packetSocket.js';
import type { InterfaceAddress, Link } from '../kernel/routeNetlink.js';
import { openVrrpSocket, type ReceivedPacket, type VrrpSocket } from '../kernel/vrrpSocket.js';
import { encodeGratuitousArp } from '../wire/arp.js';
import { etherTypeArp } from '../wire/ethernet.js';
import { familyOf, type IpAddress } from '../wire/ipAddress.js';

/**
 * Most packets that one turn reads from one socket. The kernel's receive buffer holds fewer, so
 * what waited when the turn began is always read; a flood that outruns it cannot hold the loop.
 */
export const packetsPerTurnMax = 8192;

/** What a port is opened from; when it changes, the port is opened anew. */
export interface PortIdentity {
  readonly name: string;
  readonly index: number;
  readonly macAddress: Uint8Array;
  /** Absent when the interface is down, or has no address of its own: no advertisements then. */
  readonly source: IpAddress | undefined;
}

/** What a port shall be, from the kernel's view of the interface. */
export function portIdentity(
  link: Link,
  addresses: readonly InterfaceAddress[],
  virtualAddresses: ReadonlySet<IpAddress>,
  ownsAddresses: boolean,
): PortIdentity {
  const { name, index, macAddress } = link;
  const usable = link.up && link.running;
  const source = usable
    ? sourceAddress(link, addresses, virtualAddresses, ownsAddresses)
    : undefined;
  return { name, index, macAddress, source };
}

/**
 * The interface's primary IPv4 address that is not virtual: a virtual one moves, and both routers
 * would compare equal. Only an owner (priority 255) may have none but virtual ones.
 */
function sourceAddress(
  link: Link,
  addresses: readonly InterfaceAddress[],
  virtualAddresses: ReadonlySet<IpAddress>,
  ownsAddresses: boolean,
): IpAddress | undefined {
  const candidates = addresses.filter(
    ({ interfaceIndex, prefix }) => interfaceIndex === link.index && familyOf(prefix.address) === 4,
  );
  const own = candidates.filter(({ prefix }) => !virtualAddresses.has(prefix.address));
  const chosen =
    own.find(({ secondary }) => !secondary) ??
    own[0] ??
    (ownsAddresses ? candidates[0] : undefined);
  return chosen?.prefix.address;
}

/** The open sockets of one interface. */
export class InterfacePort {
  readonly identity: PortIdentity;
  readonly #vrrp: VrrpSocket | undefined;
  readonly #arp: PacketSocket;

  /** Throws TandemError (PERMISSION, SYSTEM_CALL) when a socket cannot be had. */
  constructor(identity: PortIdentity) {
    this.identity = identity;
    const { name, index, source } = identity;
    this.#arp = openPacketSocket({
      interfaceIndex: index,
      etherType: etherTypeArp,
      receive: false,
    });
    try {
      this.#vrrp =
        source === undefined
          ? undefined
          : openVrrpSocket({ interface: name, interfaceIndex: index, source });
    } catch (error) {
      this.#arp.close();
      throw error;
    }
  }

  /** Descriptors that become readable when something was received. */
  get fds(): readonly number[] {
    return this.#vrrp === undefined ? [] : [this.#vrrp.fd];
  }

  /** Reads until the socket is dry. Throws TandemError when the interface has gone. */
  receiveAll(): readonly ReceivedPacket[] {
    const packets: ReceivedPacket[] = [];
    while (packets.length < packetsPerTurnMax) {
      const packet = this.#vrrp?.receive();
      if (packet === undefined) break;
      packets.push(packet);
    }
    return packets;
  }

  /** Sends one VRRP message; false when the interface cannot be used at present. */
  sendAdvertisement(message: Uint8Array): boolean {
    this.#vrrp?.send(message);
    return this.#vrrp !== undefined;
  }

  /** Tells the link that an address is at this interface, in the form that keepalived uses. */
  announce(address: IpAddress): void {
    const { macAddress } = this.identity;
    this.#arp.send(encodeGratuitousArp(address, macAddress, 'request-broadcast'));
  }

  close(): void {
    this.#vrrp?.close();
    this.#arp.close();
  }
}
