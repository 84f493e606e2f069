/** Virtual services between the model and their netlink attributes. */
import type { IpAddress, IpFamily } from './ipAddress.js';
import { bitsOf, familyOf, ipFromBytes, ipToBytes } from './ipAddress.js';
import {
  addressFamilies,
  protocolNumbers,
  schedulerFlagsShift,
  schedulerNameLengthMax,
  type serviceAttributes,
  serviceFlags,
} from './ipvsAttributes.js';
import type {
  IpvsProtocol,
  IpvsService,
  ListedService,
  Persistence,
  ServiceIdentity,
} from './ipvsModel.js';
import { decodeStatistics } from './ipvsStatistics.js';
import { type AttributeValues, hostU32Bytes, hostU32Of } from './netlinkAttributes.js';
import { WireError } from './wireError.js';

type ServiceValues = AttributeValues<typeof serviceAttributes>;

const everyFlag = 0xffff_ffff;
const schedulerFlagsMax = 7;
const portMax = 0xffff;

/** The attributes that name a service. */
export function identityValues(identity: ServiceIdentity): ServiceValues {
  if (identity.kind === 'fwmark') {
    return { addressFamily: addressFamilies[identity.family], fwmark: identity.fwmark };
  }
  if (identity.port > portMax) throw new WireError('bad-value', `port ${identity.port}`);
  return {
    addressFamily: addressFamilies[familyOf(identity.address)],
    protocol: protocolNumbers[identity.protocol],
    address: paddedAddress(identity.address),
    port: identity.port,
  };
}

/** All attributes that adding or editing a service must carry. */
export function serviceValues(service: IpvsService): ServiceValues {
  const { identity, scheduler, persistence, onePacket, schedulerFlags } = service;
  if (scheduler.length > schedulerNameLengthMax) {
    throw new WireError('bad-value', `scheduler name longer than ${schedulerNameLengthMax}`);
  }
  if (schedulerFlags > schedulerFlagsMax) {
    throw new WireError('bad-value', `scheduler flags ${schedulerFlags}`);
  }
  const flags =
    (persistence === undefined ? 0 : serviceFlags.persistent) |
    (onePacket ? serviceFlags.onePacket : 0) |
    (schedulerFlags << schedulerFlagsShift);
  const family = identityFamily(identity);
  return {
    ...identityValues(identity),
    scheduler,
    ...(service.persistenceEngine === undefined
      ? {}
      : { persistenceEngine: service.persistenceEngine }),
    flags: { flags, mask: everyFlag },
    timeout: persistence?.timeoutSeconds ?? 0,
    netmask:
      persistence?.maskWithGaps === undefined
        ? netmaskBytes(family, persistence?.prefixLength ?? bitsOf(family))
        : ipToBytes(persistence.maskWithGaps),
    ...keptAttributes(service),
  };
}

/** The family of the packets that a service takes. */
export function identityFamily(identity: ServiceIdentity): IpFamily {
  return identity.kind === 'fwmark' ? identity.family : familyOf(identity.address);
}

/**
 * Reads a service of a dump. Throws {@link WireError} when the kernel holds something that the
 * model has no words for, such as protocol 1.
 */
export function decodeService(values: ServiceValues): ListedService {
  const flags = required(values.flags, 'flags').flags;
  const identity = decodeIdentity(values);
  const engine = values.persistenceEngine;
  return {
    identity,
    scheduler: required(values.scheduler, 'scheduler'),
    ...((flags & serviceFlags.persistent) === 0
      ? {}
      : { persistence: decodePersistence(values, identityFamily(identity)) }),
    onePacket: (flags & serviceFlags.onePacket) !== 0,
    schedulerFlags: (flags >>> schedulerFlagsShift) & schedulerFlagsMax,
    ...(engine === undefined ? {} : { persistenceEngine: engine }),
    statistics: decodeStatistics(values.statistics64 ?? values.statistics),
    ...keptAttributes(values),
  };
}

/** Attributes without a name in the tables go through as they came, in both directions. */
export function keptAttributes({
  unknownAttributes,
}: Pick<IpvsService, 'unknownAttributes'>): Pick<IpvsService, 'unknownAttributes'> {
  return unknownAttributes === undefined ? {} : { unknownAttributes };
}

/** Reads the attributes that name a service. */
export function decodeIdentity(values: ServiceValues): ServiceIdentity {
  const family = decodeFamily(required(values.addressFamily, 'addressFamily'));
  if (values.fwmark !== undefined) return { kind: 'fwmark', family, fwmark: values.fwmark };
  const number = required(values.protocol, 'protocol');
  const protocol = protocolOf(number);
  if (protocol === undefined) throw new WireError('bad-value', `protocol ${number}`);
  return {
    kind: 'address',
    protocol,
    address: decodeAddress(family, required(values.address, 'address')),
    port: required(values.port, 'port'),
  };
}

/** The IP version of an address family number. Throws {@link WireError} on any other. */
export function decodeFamily(number: number): IpFamily {
  if (number === addressFamilies[4]) return 4;
  if (number === addressFamilies[6]) return 6;
  throw new WireError('bad-value', `address family ${number}`);
}

/** The address of a family in a 16-byte union inet_addr, or in exactly its own length. */
export function decodeAddress(family: IpFamily, bytes: Uint8Array): IpAddress {
  const length = bitsOf(family) / 8;
  if (bytes.length < length) {
    throw new WireError('truncated', `an IPv${family} address in ${bytes.length} bytes`);
  }
  return ipFromBytes(bytes.subarray(0, length));
}

/** An address as a 16-byte union inet_addr, the form that ipvsadm sends. */
export function paddedAddress(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(ipToBytes(address));
  return bytes;
}

/** A value that must be there. Throws {@link WireError} when it is not. */
export function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new WireError('missing', `${name} is missing`);
  return value;
}

function decodePersistence(values: ServiceValues, family: IpFamily): Persistence {
  return {
    timeoutSeconds: required(values.timeout, 'timeout'),
    ...granularityOf(family, required(values.netmask, 'netmask')),
  };
}

function protocolOf(number: number): IpvsProtocol | undefined {
  const protocols: readonly IpvsProtocol[] = ['tcp', 'udp', 'sctp'];
  return protocols.find((protocol) => protocolNumbers[protocol] === number);
}

function netmaskBytes(family: IpFamily, prefixLength: number): Uint8Array {
  const minimum = family === 4 ? 0 : 1;
  if (prefixLength < minimum || prefixLength > bitsOf(family)) {
    throw new WireError('bad-value', `persistence prefix length ${prefixLength}`);
  }
  if (family === 6) return hostU32Bytes(prefixLength);
  // A shift by 32 is a shift by 0 in JavaScript, so the empty mask is a case of its own.
  const mask = prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0;
  return Uint8Array.of(mask >>> 24, (mask >>> 16) & 0xff, (mask >>> 8) & 0xff, mask & 0xff);
}

function granularityOf(
  family: IpFamily,
  bytes: Uint8Array,
): Pick<Persistence, 'prefixLength' | 'maskWithGaps'> {
  if (family === 6) return { prefixLength: hostU32Of(bytes) };
  if (bytes.length < 4) throw new WireError('truncated', 'an IPv4 mask has 4 bytes');
  return maskGranularity(ipFromBytes(bytes.subarray(0, 4)));
}

/** An IPv4 mask as a prefix length, and as itself too when its ones are not all in front. */
export function maskGranularity(
  mask: IpAddress,
): Pick<Persistence, 'prefixLength' | 'maskWithGaps'> {
  const bits = [...ipToBytes(mask)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const prefixLength = bits.replaceAll('0', '').length;
  return /^1*0*$/.test(bits) ? { prefixLength } : { prefixLength, maskWithGaps: mask };
}
