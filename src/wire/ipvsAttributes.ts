/**
 * The generic netlink family IPVS as data: commands and attributes of `linux/ip_vs.h`.
 *
 * Attributes stand in the order in which requests carry them. Codec and types derive from these
 * tables; nothing else in the program knows a number of this interface.
 */
import type { AttributeTable } from './netlinkAttributes.js';

/** Name and version under which the kernel registers the family. Its number is dynamic. */
export const ipvsFamily = { name: 'IPVS', version: 1 } as const;

/** IPVS_CMD_*: what a message asks for or answers. */
export const ipvsCommands = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newServer: 5,
  setServer: 6,
  deleteServer: 7,
  getServer: 8,
  newDaemon: 9,
  deleteDaemon: 10,
  getDaemon: 11,
  setConfig: 12,
  getConfig: 13,
  setInfo: 14,
  getInfo: 15,
  zero: 16,
  flush: 17,
} as const;

/** IPVS_STATS_ATTR_* as 32-bit counters, from kernels before 4.1; only the bytes have 64 bits. */
const statisticsAttributes = {
  connections: { id: 1, type: 'u32' },
  incomingPackets: { id: 2, type: 'u32' },
  outgoingPackets: { id: 3, type: 'u32' },
  incomingBytes: { id: 4, type: 'u64' },
  outgoingBytes: { id: 5, type: 'u64' },
  connectionsPerSecond: { id: 6, type: 'u32' },
  incomingPacketsPerSecond: { id: 7, type: 'u32' },
  outgoingPacketsPerSecond: { id: 8, type: 'u32' },
  incomingBytesPerSecond: { id: 9, type: 'u32' },
  outgoingBytesPerSecond: { id: 10, type: 'u32' },
  padding: { id: 11, type: 'padding' },
} as const satisfies AttributeTable;

/** IPVS_STATS_ATTR_* inside STATS64: the same numbers, every one with 64 bits. */
const statistics64Attributes = {
  connections: { id: 1, type: 'u64' },
  incomingPackets: { id: 2, type: 'u64' },
  outgoingPackets: { id: 3, type: 'u64' },
  incomingBytes: { id: 4, type: 'u64' },
  outgoingBytes: { id: 5, type: 'u64' },
  connectionsPerSecond: { id: 6, type: 'u64' },
  incomingPacketsPerSecond: { id: 7, type: 'u64' },
  outgoingPacketsPerSecond: { id: 8, type: 'u64' },
  incomingBytesPerSecond: { id: 9, type: 'u64' },
  outgoingBytesPerSecond: { id: 10, type: 'u64' },
  padding: { id: 11, type: 'padding' },
} as const satisfies AttributeTable;

/** IPVS_SVC_ATTR_*. */
export const serviceAttributes = {
  /** AF_INET or AF_INET6. */
  addressFamily: { id: 1, type: 'u16' },
  protocol: { id: 2, type: 'u16' },
  /** 16 bytes; an IPv4 address is in the first four. */
  address: { id: 3, type: 'bytes' },
  port: { id: 4, type: 'u16be' },
  /** When present it is the identity, and protocol, address and port are absent. */
  fwmark: { id: 5, type: 'u32' },
  scheduler: { id: 6, type: 'string' },
  persistenceEngine: { id: 11, type: 'string' },
  flags: { id: 7, type: 'maskedFlags' },
  /** Persistence timeout in seconds. */
  timeout: { id: 8, type: 'u32' },
  /** IPv4: the mask in network order; IPv6: the prefix length as a 32-bit integer, host order. */
  netmask: { id: 9, type: 'bytes' },
  statistics: { id: 10, type: 'nested', attributes: statisticsAttributes, repeats: true },
  statistics64: { id: 12, type: 'nested', attributes: statistics64Attributes, repeats: true },
} as const satisfies AttributeTable;

/** IPVS_DEST_ATTR_*. */
export const serverAttributes = {
  /** Differs from the service's family only in tunnels. Kernels before 3.18 do not send it. */
  addressFamily: { id: 11, type: 'u16' },
  address: { id: 1, type: 'bytes' },
  port: { id: 2, type: 'u16be' },
  forwarding: { id: 3, type: 'u32' },
  weight: { id: 4, type: 's32' },
  tunnelType: { id: 13, type: 'u8' },
  tunnelPort: { id: 14, type: 'u16be' },
  tunnelFlags: { id: 15, type: 'u16' },
  upperThreshold: { id: 5, type: 'u32' },
  lowerThreshold: { id: 6, type: 'u32' },
  activeConnections: { id: 7, type: 'u32' },
  inactiveConnections: { id: 8, type: 'u32' },
  persistentConnections: { id: 9, type: 'u32' },
  statistics: { id: 10, type: 'nested', attributes: statisticsAttributes, repeats: true },
  statistics64: { id: 12, type: 'nested', attributes: statistics64Attributes, repeats: true },
} as const satisfies AttributeTable;

/** IPVS_DAEMON_ATTR_*. */
export const daemonAttributes = {
  /** 1 master, 2 backup. */
  state: { id: 1, type: 'u32' },
  interface: { id: 2, type: 'string' },
  syncId: { id: 3, type: 'u32' },
  maxLength: { id: 4, type: 'u16' },
  /** Unlike the ports of services this one is in host order. */
  port: { id: 7, type: 'u16' },
  ttl: { id: 8, type: 'u8' },
  group: { id: 5, type: 'bytes' },
  group6: { id: 6, type: 'bytes' },
} as const satisfies AttributeTable;

/** IPVS_CMD_ATTR_*: the top level of every message except the answer to getInfo. */
export const commandAttributes = {
  service: { id: 1, type: 'nested', attributes: serviceAttributes },
  server: { id: 2, type: 'nested', attributes: serverAttributes },
  daemon: { id: 3, type: 'nested', attributes: daemonAttributes },
  tcpTimeout: { id: 4, type: 'u32' },
  tcpFinTimeout: { id: 5, type: 'u32' },
  udpTimeout: { id: 6, type: 'u32' },
} as const satisfies AttributeTable;

/** IPVS_INFO_ATTR_*: the top level of the answer to getInfo. */
export const infoAttributes = {
  /** 0x010201 is 1.2.1. */
  version: { id: 1, type: 'u32' },
  connectionTableSize: { id: 2, type: 'u32' },
} as const satisfies AttributeTable;

/** IP_VS_SVC_F_*. Bit 1 (HASHED) belongs to the kernel and is left out. */
export const serviceFlags = { persistent: 0x01, onePacket: 0x04 } as const;

/** IP_VS_SVC_F_SCHED1..3 stand in bits 3 to 5. */
export const schedulerFlagsShift = 3;

/** Address families of `sys/socket.h` by IP version. */
export const addressFamilies = { 4: 2, 6: 10 } as const;

/** Protocol numbers of the transports that IPVS balances. */
export const protocolNumbers = { tcp: 6, udp: 17, sctp: 132 } as const;

/** IP_VS_CONN_F_FWD_MASK values. */
export const forwardingNumbers = { nat: 0, local: 1, tunnel: 2, dr: 3, bypass: 4 } as const;

/** IP_VS_CONN_F_TUNNEL_TYPE_*. */
export const tunnelTypes = { ipip: 0, gue: 1, gre: 2 } as const;

/** IP_VS_TUNNEL_ENCAP_FLAG_*. */
export const tunnelChecksums = { none: 0, full: 1, remote: 2 } as const;

/** IP_VS_STATE_*. */
export const daemonStates = { master: 1, backup: 2 } as const;

/** IP_VS_SCHEDNAME_MAXLEN without the closing NUL. */
export const schedulerNameLengthMax = 15;
