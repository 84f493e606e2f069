/**
 * One network interface as the election uses it: the raw sockets for advertisements, one a family,
 * and the packet socket for announcements.
 */
import type { TandemError } from '../errors.js';
import { nowUs } from '../kernel/monotonicClock.js';
import { openPacketSocket, type PacketSocket } from '../kernel/packetSocket.js';
import { readSysctl } from '../kernel/sysctl.js';
import { openVrrpSocket, type ReceivedPacket, type VrrpSocket } from '../kernel/vrrpSocket.js';
import { encodeGratuitousArp } from '../wire/arp.js';
import { etherTypeArp } from '../wire/ethernet.js';
import { familyOf, type IpAddress } from '../wire/ipAddress.js';
import { encodeUnsolicitedNeighborAdvertisement } from '../wire/ndp.js';
import { authenticationHeaderProtocol } from '../wire/vrrp.js';
import { ipv6Source, type PortIdentity } from './portIdentity.js';

/**
 * Most packets that one turn reads from one socket. The kernel's receive buffer holds fewer, so
 * what waited when the turn began is always read; a flood that outruns it cannot hold the loop.
 */
export const packetsPerTurnMax = 8192;

/** How long an answer of the kernel holds, whether an interface forwards IPv6. */
const forwardingKnownUs = 1_000_000;

/** Length of the MAC address of whatever has ARP or neighbor discovery. */
const ethernetAddressBytes = 6;

/** The open sockets of one interface. */
export class InterfacePort {
  readonly identity: PortIdentity;
  readonly #sockets: readonly VrrpSocket[];
  readonly #socketOf = new Map<number, VrrpSocket>();
  /** What a peer sends behind an Authentication Header is heard, to be refused by name. */
  readonly #listeners: VrrpSocket[] = [];
  readonly #announcer: PacketSocket;
  /** Announcements of IPv4 addresses; they are the same whenever they are sent. */
  readonly #announcements = new Map<IpAddress, Uint8Array>();
  #forwards = false;
  #forwardsReadUs = Number.NEGATIVE_INFINITY;

  /** Throws TandemError (PERMISSION, SYSTEM_CALL) when a socket cannot be had. */
  constructor(identity: PortIdentity) {
    this.identity = identity;
    this.#announcer = openPacketSocket({
      interfaceIndex: identity.index,
      // It receives nothing, and each frame that it sends has its own type.
      etherType: etherTypeArp,
      receive: false,
    });
    try {
      if (identity.families.includes(4)) this.#open(identity.source);
      if (identity.families.includes(4)) this.#listen(identity.source);
      if (identity.families.includes(6)) this.#open(ipv6Source(identity));
    } catch (error) {
      this.close();
      throw error;
    }
    this.#sockets = [...this.#socketOf.values(), ...this.#listeners];
  }

  /** Descriptors that become readable when something was received. */
  get fds(): readonly number[] {
    return this.#sockets.map(({ fd }) => fd);
  }

  /** Reads until the sockets are dry. Throws TandemError when the interface has gone. */
  receiveAll(): readonly ReceivedPacket[] {
    const packets: ReceivedPacket[] = [];
    for (const socket of this.#sockets) {
      for (let read = 0; read < packetsPerTurnMax; read += 1) {
        const packet = socket.receive();
        if (packet === undefined) break;
        packets.push(packet);
      }
    }
    return packets;
  }

  /** Sends one VRRP message; false when the interface cannot be used at present. */
  sendAdvertisement(message: Uint8Array, source: IpAddress, destination: IpAddress): boolean {
    const socket = this.#socketOf.get(familyOf(source));
    socket?.send(message, destination, source);
    return socket !== undefined;
  }

  /** Does all of sending and announcing but for the calls of the kernel: see `takeoverWait.ts`. */
  rehearse(message: Uint8Array, source: IpAddress, destination: IpAddress): void {
    this.#socketOf.get(familyOf(source))?.rehearse(message, destination, source);
  }

  /** Makes the announcements of these addresses, and of no others, before they are needed. */
  prepareAnnouncements(addresses: readonly IpAddress[]): void {
    this.#announcements.clear();
    if (!this.#isEthernet) return;
    for (const address of addresses) {
      if (familyOf(address) === 4) this.#announcements.set(address, this.#announcementOf(address));
    }
  }

  /** See {@link rehearse}. */
  rehearseAnnouncements(addresses: readonly IpAddress[]): void {
    if (!this.#isEthernet) return;
    this.#announcer.rehearse(addresses.map((address) => this.#announcementOf(address)));
  }

  /**
   * Tells the link that addresses are at this interface: by gratuitous ARP in the form that
   * keepalived uses, or by an unsolicited neighbor advertisement. One result for each address.
   */
  announceAll(addresses: readonly IpAddress[]): readonly (TandemError | undefined)[] {
    // A tunnel has nobody to tell.
    if (!this.#isEthernet) return addresses.map(() => undefined);
    return this.#announcer.sendAll(addresses.map((address) => this.#announcementOf(address)));
  }

  get #isEthernet(): boolean {
    return this.identity.macAddress.length === ethernetAddressBytes;
  }

  #announcementOf(address: IpAddress): Uint8Array {
    const made = this.#announcements.get(address);
    if (made !== undefined) return made;
    const { macAddress } = this.identity;
    if (familyOf(address) === 4) {
      return encodeGratuitousArp(address, macAddress, 'request-broadcast');
    }
    const router = this.#forwardsIpv6();
    return encodeUnsolicitedNeighborAdvertisement({ address, macAddress, router });
  }

  /** Sends one frame, link-layer header first. Throws `SYSTEM_CALL`. */
  sendFrame(frame: Uint8Array): void {
    this.#announcer.send(frame);
  }

  close(): void {
    for (const socket of [...this.#socketOf.values(), ...this.#listeners]) socket.close();
    this.#announcer.close();
  }

  #open(source: IpAddress | undefined): void {
    if (source === undefined) return;
    const { name, index } = this.identity;
    const options = { interface: name, interfaceIndex: index, source };
    this.#socketOf.set(familyOf(source), openVrrpSocket(options));
  }

  #listen(source: IpAddress | undefined): void {
    if (source === undefined) return;
    const { name, index } = this.identity;
    const options = { interface: name, interfaceIndex: index, source };
    this.#listeners.push(openVrrpSocket({ ...options, protocol: authenticationHeaderProtocol }));
  }

  /** Hosts take the sender for a router by the R flag, and would route through a mere host. */
  #forwardsIpv6(): boolean {
    const now = nowUs();
    if (now - this.#forwardsReadUs < forwardingKnownUs) return this.#forwards;
    this.#forwardsReadUs = now;
    try {
      // A dot in the name of a VLAN interface is written as a slash.
      const name = this.identity.name.replaceAll('.', '/');
      this.#forwards = readSysctl(`net.ipv6.conf.${name}.forwarding`) !== '0';
    } catch {
      // The kernel has no IPv6, or the interface is going away.
      this.#forwards = false;
    }
    return this.#forwards;
  }
}
