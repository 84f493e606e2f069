/** Whether an entry that the peer sent may be given to the kernel. Pure. */
import { familyOf, type IpAddress, ipToBytes } from '../wire/ipAddress.js';
import type { ServiceIdentity } from '../wire/ipvsModel.js';
import { syncFlags } from '../wire/syncModel.js';
import { syncEntryOffsets as offsets, syncEntryBytes } from '../wire/syncScan.js';
import { AddressKeys } from './addressKeys.js';
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

/** Judges entries by the services of this director. */
export class EntryValidator {
  readonly #services = new AddressKeys();
  /** By the number of the service: whether its servers are taken with any port. */
  readonly #anyPort: boolean[] = [];
  readonly #servers = new AddressKeys();
  readonly #families = new Set<4 | 6>();

  constructor(services: readonly KnownService[]) {
    for (const { identity, servers } of services) {
      const isMark = identity.kind === 'fwmark';
      this.#families.add(isMark ? identity.family : familyOf(identity.address));
      const anyPort = isMark || identity.port === 0 || identity.port === ftpPort;
      const service = this.#add(identity);
      this.#anyPort[service] = anyPort;
      for (const { address, port } of servers) {
        const family = familyOf(address);
        this.#families.add(family);
        const wanted = portWord(family, anyPort ? undefined : port);
        this.#servers.add(service, wanted, ipToBytes(address));
      }
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
    return this.#judgeServer(bytes, start, family, protocol);
  }

  /** By the services that the kernel could find for it: more than one where a mark matches too. */
  #judgeServer(
    bytes: Uint8Array,
    start: number,
    family: 4 | 6,
    protocol: number,
  ): EntryRefusal | undefined {
    const services = this.#services;
    let refusal: EntryRefusal = 'unknown-service';
    const firewallMark = u32At(bytes, start + offsets.firewallMark);
    if (firewallMark !== 0) {
      const service = services.find(markWord(family), firewallMark, bytes, start, 0);
      if (this.#hasServer(service, bytes, start, family)) return undefined;
      if (service >= 0) refusal = 'unknown-server';
    }
    if (protocol === 0) return refusal;
    const width = family === 4 ? 4 : 16;
    const at = start + offsets.clientAddress + width;
    const port = u16At(bytes, start + offsets.virtualPort);
    for (let turn = 0; turn < (protocol === protocolNumbers.tcp ? 3 : 2); turn += 1) {
      const wanted = turn === 0 ? port : turn === 1 ? 0 : ftpPort;
      const service = services.find(protocolWord(family, protocol), wanted, bytes, at, width);
      if (this.#hasServer(service, bytes, start, family)) return undefined;
      if (service >= 0) refusal = 'unknown-server';
    }
    return refusal;
  }

  #hasServer(service: number, bytes: Uint8Array, start: number, family: 4 | 6): boolean {
    if (service < 0) return false;
    const anyPort = this.#anyPort[service] === true;
    const port = anyPort ? undefined : u16At(bytes, start + offsets.serverPort);
    const width = family === 4 ? 4 : 16;
    const at = start + syncEntryBytes[family] - width;
    return this.#servers.find(service, portWord(family, port), bytes, at, width) >= 0;
  }

  #add(identity: ServiceIdentity): number {
    if (identity.kind === 'fwmark') {
      return this.#services.add(markWord(identity.family), identity.fwmark, new Uint8Array());
    }
    const { protocol, address, port } = identity;
    const word = protocolWord(familyOf(address), protocolNumbers[protocol]);
    return this.#services.add(word, port, ipToBytes(address));
  }
}

/** The words of keys: no two kinds of service, and no two families, have the same. */
function protocolWord(family: 4 | 6, protocol: number): number {
  return (family << 8) | protocol;
}

function markWord(family: 4 | 6): number {
  return 0x1_0000 | family;
}

function portWord(family: 4 | 6, port: number | undefined): number {
  return (family << 17) | (port ?? 0x1_0000);
}
