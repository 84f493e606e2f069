/** The kernel's structures that Tandem hands over, declared once (include/uapi/linux). */
import { structLayout } from './structLayout.js';

/** struct msghdr (socket.h). */
export const messageHeaderStruct = structLayout({
  name: 'pointer',
  nameLength: 'u32',
  vectors: 'pointer',
  vectorCount: 'i64',
  control: 'pointer',
  controlLength: 'i64',
  flags: 'i32',
});

/** struct iovec (uio.h). */
export const vectorStruct = structLayout({ base: 'pointer', length: 'i64' });

/** struct cmsghdr (socket.h); its data follows, and the next one starts 8-byte aligned. */
export const controlHeaderStruct = structLayout({ length: 'i64', level: 'i32', type: 'i32' });

/** struct sockaddr_in (in.h). */
export const internetAddressStruct = structLayout({
  family: 'u16',
  port: 'u16be',
  address: 4,
  zero: 8,
});

/** struct sockaddr_in6 (in6.h). */
export const internet6AddressStruct = structLayout({
  family: 'u16',
  port: 'u16be',
  flowInformation: 'u32',
  address: 16,
  scopeId: 'u32',
});

/** struct sockaddr_ll (if_packet.h). */
export const linkAddressStruct = structLayout({
  family: 'u16',
  protocol: 'u16be',
  interfaceIndex: 'i32',
  hardwareType: 'u16',
  packetType: 'u8',
  hardwareLength: 'u8',
  hardwareAddress: 8,
});

/** struct packet_mreq (if_packet.h). */
export const packetMembershipStruct = structLayout({
  interfaceIndex: 'i32',
  type: 'u16',
  addressLength: 'u16',
  address: 8,
});

/** struct sockaddr_nl (netlink.h). */
export const netlinkAddressStruct = structLayout({
  family: 'u16',
  padding: 'u16',
  port: 'u32',
  groups: 'u32',
});

/** struct sockaddr_un (un.h). */
export const unixAddressStruct = structLayout({ family: 'u16', path: 108 });

/** struct ip_mreqn (in.h). */
export const multicastRequestStruct = structLayout({
  group: 4,
  localAddress: 4,
  interfaceIndex: 'i32',
});

/** struct in_pktinfo (in.h). */
export const packetInfoStruct = structLayout({
  interfaceIndex: 'i32',
  localAddress: 4,
  headerDestination: 4,
});

/** struct ipv6_mreq (in6.h). */
export const multicastRequest6Struct = structLayout({ group: 16, interfaceIndex: 'i32' });

/** struct in6_pktinfo (ipv6.h). */
export const packetInfo6Struct = structLayout({ address: 16, interfaceIndex: 'i32' });

/** struct timespec (time_types.h, 64-bit). */
export const timeStruct = structLayout({ seconds: 'i64', nanoseconds: 'i64' });

/** struct pollfd (poll.h). */
export const pollDescriptorStruct = structLayout({ fd: 'i32', events: 'i16', ready: 'i16' });
