/** Socket addresses of IPv4 and IPv6 as the kernel takes and gives them. */
import {
  familyOf,
  type IpAddress,
  type IpFamily,
  ipFromBytes,
  ipToBytes,
} from '../wire/ipAddress.js';
import { internet6AddressStruct, internetAddressStruct } from './linuxStructs.js';
import { addressFamily } from './socketOptions.js';

/** The kernel's number of an address family. */
export function familyNumber(family: IpFamily): number {
  return family === 4 ? addressFamily.inet : addressFamily.inet6;
}

/**
 * A struct sockaddr_in or sockaddr_in6. Link-local IPv6 addresses exist once on every interface, so
 * they need the index of theirs; elsewhere it is ignored.
 */
export function encodeSocketAddress(
  address: IpAddress,
  port: number,
  interfaceIndex = 0,
): Uint8Array {
  const bytes = ipToBytes(address);
  if (familyOf(address) === 4) {
    return internetAddressStruct.encode({ family: addressFamily.inet, port, address: bytes });
  }
  return internet6AddressStruct.encode({
    family: addressFamily.inet6,
    port,
    address: bytes,
    scopeId: isLinkLocal(bytes) ? interfaceIndex : 0,
  });
}

/** Reads address and port of a struct sockaddr_in or sockaddr_in6 of a known family. */
export function decodeSocketAddress(
  bytes: Uint8Array,
  family: IpFamily,
): { readonly address: IpAddress; readonly port: number } {
  const { address, port } =
    family === 4 ? internetAddressStruct.decode(bytes) : internet6AddressStruct.decode(bytes);
  return { address: ipFromBytes(address), port };
}

/** fe80::/10 (RFC 4291, 2.5.6). */
function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}
