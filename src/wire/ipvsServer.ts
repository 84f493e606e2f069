/** Real servers between the model and their netlink attributes. */
import type { IpFamily } from './ipAddress.js';
import { familyOf } from './ipAddress.js';
import {
  addressFamilies,
  forwardingNumbers,
  type serverAttributes,
  tunnelChecksums,
  tunnelTypes,
} from './ipvsAttributes.js';
import type {
  ForwardingMethod,
  IpvsServer,
  ListedServer,
  ServerIdentity,
  TunnelEncapsulation,
} from './ipvsModel.js';
import { decodeAddress, decodeFamily, paddedAddress, required } from './ipvsService.js';
import { decodeStatistics } from './ipvsStatistics.js';
import type { AttributeValues } from './netlinkAttributes.js';
import { WireError } from './wireError.js';

type ServerValues = AttributeValues<typeof serverAttributes>;

/** IP_VS_CONN_F_FWD_MASK: the kernel keeps the method in the lowest three bits. */
const forwardingMask = 7;

/** The attributes that name a server inside its service. */
export function serverIdentityValues(server: ServerIdentity): ServerValues {
  return {
    addressFamily: addressFamilies[familyOf(server.address)],
    address: paddedAddress(server.address),
    port: server.port,
  };
}

/** All attributes that adding or editing a server must carry. */
export function serverValues(server: IpvsServer): ServerValues {
  if (server.weight < 0) throw new WireError('bad-value', `weight ${server.weight}`);
  const { encapsulation, unknownAttributes } = server;
  // Nothing is spread here: thousands of servers go through it when a table is loaded.
  const values = {
    addressFamily: addressFamilies[familyOf(server.address)],
    address: paddedAddress(server.address),
    port: server.port,
    forwarding: forwardingNumbers[server.forwarding],
    weight: server.weight,
    tunnelType: tunnelTypes[encapsulation?.type ?? 'ipip'],
    tunnelPort: encapsulation?.type === 'gue' ? encapsulation.port : 0,
    tunnelFlags: tunnelChecksums[encapsulation?.checksum ?? 'none'],
    upperThreshold: server.upperThreshold,
    lowerThreshold: server.lowerThreshold,
  };
  return unknownAttributes === undefined ? values : { ...values, unknownAttributes };
}

/**
 * Reads a server of a dump. `serviceFamily` is its family where an old kernel does not send one.
 * Throws {@link WireError} when the kernel holds something that the model has no words for.
 */
export function decodeServer(values: ServerValues, serviceFamily: IpFamily): ListedServer {
  const family =
    values.addressFamily === undefined ? serviceFamily : decodeFamily(values.addressFamily);
  const forwarding = decodeForwarding(required(values.forwarding, 'forwarding'));
  const encapsulation = forwarding === 'tunnel' ? decodeEncapsulation(values) : undefined;
  const server = {
    address: decodeAddress(family, required(values.address, 'address')),
    port: required(values.port, 'port'),
    forwarding,
    weight: required(values.weight, 'weight'),
    upperThreshold: required(values.upperThreshold, 'upperThreshold'),
    lowerThreshold: required(values.lowerThreshold, 'lowerThreshold'),
    activeConnections: values.activeConnections ?? 0,
    inactiveConnections: values.inactiveConnections ?? 0,
    persistentConnections: values.persistentConnections ?? 0,
    statistics: decodeStatistics(values.statistics64 ?? values.statistics),
  };
  const kept = encapsulation === undefined ? server : { ...server, encapsulation };
  const { unknownAttributes } = values;
  return unknownAttributes === undefined ? kept : { ...kept, unknownAttributes };
}

function decodeForwarding(number: number): ForwardingMethod {
  const methods: readonly ForwardingMethod[] = ['nat', 'local', 'tunnel', 'dr', 'bypass'];
  const method = methods[number & forwardingMask];
  if (method === undefined) throw new WireError('bad-value', `forwarding method ${number}`);
  return method;
}

/** `undefined` is IP in IP, also for kernels before 5.3, which know nothing else. */
function decodeEncapsulation(values: ServerValues): TunnelEncapsulation | undefined {
  const type = values.tunnelType ?? tunnelTypes.ipip;
  const flags = values.tunnelFlags ?? 0;
  if (type === tunnelTypes.ipip) return undefined;
  if (type === tunnelTypes.gre) {
    return { type: 'gre', checksum: (flags & tunnelChecksums.full) === 0 ? 'none' : 'full' };
  }
  if (type === tunnelTypes.gue) {
    const port = required(values.tunnelPort, 'tunnelPort');
    if ((flags & tunnelChecksums.remote) !== 0) return { type: 'gue', port, checksum: 'remote' };
    return { type: 'gue', port, checksum: (flags & tunnelChecksums.full) === 0 ? 'none' : 'full' };
  }
  throw new WireError('bad-value', `tunnel type ${type}`);
}
