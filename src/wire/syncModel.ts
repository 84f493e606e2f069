/**
 * The values of the kernel's connection synchronisation protocol (`net/netfilter/ipvs/ip_vs_sync.c`
 * and `include/net/ip_vs.h`), in the field's terms.
 */
import type { IpAddress, IpFamily } from './ipAddress.js';

/** Version 1 is what every kernel since 2.6.39 speaks; version 0 knows IPv4 only. */
export type SyncVersion = 0 | 1;

/** The group of the kernel's daemons, unless they are told another. */
export const syncGroupDefault = '224.0.0.81';

/** The first port of the kernel's daemons, unless they are told another. */
export const syncPortDefault = 8848;

/** Bits of the flags of an entry (IP_VS_CONN_F_*). */
export const syncFlags = {
  /** The forwarding method: 0 NAT, 1 local, 2 tunnel, 3 direct routing, 4 bypass. */
  forwardingMask: 0x0007,
  /** The entry was itself made by synchronisation. */
  synced: 0x0020,
  /** No packet of the server passes this director. */
  noOutput: 0x0080,
  /** It does not count as an active connection of its server. */
  inactive: 0x0100,
  outSequence: 0x0200,
  inSequence: 0x0400,
  /** The client's port is not known yet. */
  noClientPort: 0x0800,
  /** A persistence template: remembers the server of a client. */
  template: 0x1000,
  /** Each packet is scheduled by itself; such connections are never synchronised. */
  onePacket: 0x2000,
} as const;

/** Flags that say that sequence numbers are in the entry. */
export const sequenceFlags = syncFlags.inSequence | syncFlags.outSequence;

/** How far the sequence numbers of one direction were shifted (struct ip_vs_seq). */
export interface SyncSequence {
  readonly initial: number;
  readonly delta: number;
  readonly previousDelta: number;
}

/** An option of a type that this program does not know and that may be ignored (bit 0x40). */
export interface UnknownSyncOption {
  /** 1..255 with bit 0x40 set. */
  readonly type: number;
  /** 1..255 bytes. */
  readonly data: Uint8Array;
}

/** One connection or persistence template. */
export interface SyncEntry {
  readonly family: IpFamily;
  /** IP protocol number; 0 in the templates of firewall marks. */
  readonly protocol: number;
  /** {@link syncFlags}; 32 bits in version 1, 16 in version 0. */
  readonly flags: number;
  /** Number of the state in the protocol's table. */
  readonly state: number;
  readonly clientPort: number;
  readonly virtualPort: number;
  readonly serverPort: number;
  /** The mark of the first packet; always 0 in version 0. */
  readonly firewallMark: number;
  /** The whole timeout of the state, not what remains of it; always 0 in version 0. */
  readonly timeoutSeconds: number;
  readonly clientAddress: IpAddress;
  /** In the templates of firewall marks the mark itself, in the first four bytes. */
  readonly virtualAddress: IpAddress;
  readonly serverAddress: IpAddress;
  /** Present exactly when a flag of {@link sequenceFlags} is set. */
  readonly sequence?: { readonly in: SyncSequence; readonly out: SyncSequence };
  /** Version 1 only. What a persistence engine goes by, 1..255 bytes. */
  readonly persistenceData?: Uint8Array;
  /** Version 1 only. The name of the persistence engine, 1..16 characters: `sip`. */
  readonly persistenceEngine?: string;
  /** Version 1 only. */
  readonly unknownOptions?: readonly UnknownSyncOption[];
}

/** One datagram of a master daemon. */
export interface SyncMessage {
  readonly version: SyncVersion;
  /** 0..255; a backup daemon takes messages of its own id only, or of all if its own is 0. */
  readonly syncId: number;
  readonly entries: readonly SyncEntry[];
}
