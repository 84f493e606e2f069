/** How listings and saved rules write a service and its settings. Pure. */
import { bitsOf, type IpAddress, ipFromBytes } from '../../wire/ipAddress.js';
import type {
  ForwardingMethod,
  IpvsProtocol,
  IpvsService,
  Persistence,
  ServiceIdentity,
} from '../../wire/ipvsModel.js';
import { identityFamily } from '../../wire/ipvsService.js';

/** The protocol whose names the ports of a service's servers have; with a mark they have none. */
export function protocolOfService(identity: ServiceIdentity): IpvsProtocol | undefined {
  return identity.kind === 'fwmark' ? undefined : identity.protocol;
}

/** A mark as ipvsadm prints it: as a signed number. */
export function markText(fwmark: number): string {
  return String(fwmark | 0);
}

/** The granularity of persistence, or `undefined` when each address is a client of its own. */
export function maskText(service: IpvsService): string | undefined {
  const { persistence } = service;
  if (persistence === undefined) return undefined;
  const family = identityFamily(service.identity);
  if (persistence.prefixLength === bitsOf(family)) return undefined;
  if (family === 6) return String(persistence.prefixLength);
  return persistence.maskWithGaps ?? maskOfLength(persistence);
}

/** Forwarding methods in listings. */
export const forwardingWords: Readonly<Record<ForwardingMethod, string>> = {
  nat: 'Masq',
  local: 'Local',
  tunnel: 'Tunnel',
  dr: 'Route',
  bypass: 'Bypass',
};

/** Forwarding methods in saved rules; those that no option makes are saved as direct routing. */
export const forwardingOptions: Readonly<Record<ForwardingMethod, string>> = {
  nat: '-m',
  local: '-g',
  tunnel: '-i',
  dr: '-g',
  bypass: '-g',
};

function maskOfLength({ prefixLength }: Persistence): IpAddress {
  const mask = prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0;
  return ipFromBytes(
    Uint8Array.of(mask >>> 24, (mask >>> 16) & 0xff, (mask >>> 8) & 0xff, mask & 0xff),
  );
}
