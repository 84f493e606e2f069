/** Whether an entry that the peer sent may be given to the kernel. Pure. */
import { familyOf, type IpAddress, ipToBytes } from '../wire/ipAddress.js';
import type { ServiceIdentity } from '../wire/ipvsModel.js';
import { syncFlags } from '../wire/syncModel.js';
import { syncEntryOffsets as offsets, syncEntryBytes } from '../wire/syncScan.js';
import { familyAt, u16At, u32At } from './entryBytes.js';

/** Every reason why an entry is not taken. */
export const entryRefusals = [
  /** No service of this director is of its family: the kernel would not look at its packets. */
  'family-not-served',
  /** No service of this director has this address, protocol and port, or this firewall mark. */
  'unknown-service',
  /** The service has no such server. */
  'unknown-server',
  /** The state does not exist in its protocol. */
  'bad-state',
  /** Flags that synchronisation never carries. */
  'bad-flags',
  /** No timeout, or more than a month. */
  'bad-timeout',
] as const;

/** One of {@link entryRefusals}. */
export type EntryRefusal = (typeof entryRefusals)[number];

/** A service as far as entries are judged by it. */
export interface KnownService {
  readonly identity: ServiceIdentity;
  readonly servers: readonly { readonly address: IpAddress; readonly port: number }[];
}

/** States of each protocol (`ip_vs.h`); templates have two. */
const stateCounts: Readonly<Record<number, number>> = { 6: 11, 17: 1, 132: 14 };
const templateStateCount = 2;

const protocolNumbers = { tcp: 6, udp: 17, sctp: 132 } as const;

/** The longest persistence that IPVS has: 31 days, in seconds. */
const timeoutSecondsMax = 2_678_400;

/** The port whose connections bring others with them, for any port. */
const ftpPort = 21;

/** Servers of one service: `address:port` in bytes, or the address alone where any port counts. */
interface Known {
  readonly anyPort: boolean;
  readonly servers: ReadonlySet<string>;
}

/** Judges entries by the services of this director. */
export class EntryValidator {
  readonly #services = new Map<string, Known>();
  readonly #families = new Set<4 | 6>();

  constructor(services: readonly KnownService[]) {
    for (const { identity, servers } of services) {
      const isMark = identity.kind === 'fwmark';
      this.#families.add(isMark ? identity.family : familyOf(identity.address));
      const anyPort = isMark || identity.port === 0 || identity.port === ftpPort;
      const keys = servers.map(
        ({ address, port }) => latin1(ipToBytes(address)) + (anyPort ? '' : portText(port)),
      );
      this.#services.set(serviceKey(identity), { anyPort, servers: new Set(keys) });
      for (const { address } of servers) this.#families.add(familyOf(address));
    }
  }

  /** Why the entry that starts here is not taken; nothing when it is. */
  judge(bytes: Uint8Array, start: number): EntryRefusal | undefined {
    const family = familyAt(bytes, start);
    if (!this.#families.has(family)) return 'family-not-served';
    const flags = u32At(bytes, start + offsets.flags);
    const isTemplate = (flags & syncFlags.template) !== 0;
    const hasNoClientPort = (flags & syncFlags.noClientPort) !== 0;
    if ((flags & syncFlags.onePacket) !== 0 || (isTemplate && hasNoClientPort)) return 'bad-flags';
    const protocol = bytes[start + offsets.protocol] ?? 0;
    const states = isTemplate ? templateStateCount : (stateCounts[protocol] ?? 0);
    if (u16At(bytes, start + offsets.state) >= states) return 'bad-state';
    const timeoutSeconds = u32At(bytes, start + offsets.timeoutSeconds);
    if (timeoutSeconds === 0 || timeoutSeconds > timeoutSecondsMax) return 'bad-timeout';
    const candidates = this.#candidates(bytes, start, protocol);
    if (candidates.length === 0) return 'unknown-service';
    const server = start + syncEntryBytes[family] - (family === 4 ? 4 : 16);
    const address = latin1(bytes.subarray(server, start + syncEntryBytes[family]));
    const port = portText(u16At(bytes, start + offsets.serverPort));
    const isServer = ({ anyPort, servers }: Known): boolean =>
      servers.has(anyPort ? address : address + port);
    return candidates.some(isServer) ? undefined : 'unknown-server';
  }

  /** The services that the kernel could find for it, more than one where a mark matches as well. */
  #candidates(bytes: Uint8Array, start: number, protocol: number): readonly Known[] {
    const family = familyAt(bytes, start);
    const found: Known[] = [];
    const add = (key: string): void => {
      const known = this.#services.get(key);
      if (known !== undefined) found.push(known);
    };
    const firewallMark = u32At(bytes, start + offsets.firewallMark);
    if (firewallMark !== 0) add(markKey(family, firewallMark));
    if (protocol === 0) return found;
    const width = family === 4 ? 4 : 16;
    const at = start + offsets.clientAddress + width;
    const address = latin1(bytes.subarray(at, at + width));
    for (const port of new Set([u16At(bytes, start + offsets.virtualPort), 0])) {
      add(addressKey(protocol, address, port));
    }
    if (protocol === protocolNumbers.tcp) add(addressKey(protocol, address, ftpPort));
    return found;
  }
}

function serviceKey(identity: ServiceIdentity): string {
  if (identity.kind === 'fwmark') return markKey(identity.family, identity.fwmark);
  const { protocol, address, port } = identity;
  return addressKey(protocolNumbers[protocol], latin1(ipToBytes(address)), port);
}

function markKey(family: 4 | 6, firewallMark: number): string {
  return `m${family}/${firewallMark}`;
}

function addressKey(protocol: number, address: string, port: number): string {
  return `a${protocol}/${address}${portText(port)}`;
}

function portText(port: number): string {
  return String.fromCharCode(port >> 8, port & 0xff);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
