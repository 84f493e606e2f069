/** What of a command line has been read so far, and what each option adds to it. Pure. */
import { type IpAddress, isMulticastAddress, parseIpAddress } from '../../wire/ipAddress.js';
import type {
  ForwardingMethod,
  IpvsProtocol,
  IpvsTimeouts,
  SyncDaemonRole,
  TunnelEncapsulation,
} from '../../wire/ipvsModel.js';
import { parseEndpoint } from './endpointText.js';
import type { ListColumns } from './model.js';
import type { NameLookup } from './names.js';
import { leadingInteger, parseInteger, parseLooseIpv4 } from './numberText.js';
import type { OptionTag, RuleOption } from './options.js';

/** Longest persistence or connection timeout in seconds: 31 days. */
export const timeoutSecondsMax = 31 * 86_400;

const markMax = 0xffff_ffff;
const signedMax = 0x7fff_ffff;
const persistenceSecondsDefault = 360;
/** IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN and IP_VS_IFNAME_MAXLEN, each without the NUL. */
const nameLengthMax = { scheduler: 15, engine: 16, interface: 15 } as const;
/** The largest UDP payload of IPv4. */
const datagramBytesMax = 65_507;

/** A command line half read. Options are taken in order, and some look at those before them. */
export interface Draft {
  /** Options that were given, as the rules count them. */
  readonly given: Set<RuleOption>;
  family: 4 | 6;
  protocol: IpvsProtocol | undefined;
  address: IpAddress | undefined;
  port: number;
  fwmark: number;
  scheduler: string;
  persistenceSeconds: number | undefined;
  /** IPv4: the mask as an address. IPv6: the prefix length. */
  netmask: IpAddress | number;
  engine: string;
  onePacket: boolean;
  schedulerFlags: string;
  server: { readonly address: IpAddress; readonly port: number } | undefined;
  forwarding: ForwardingMethod;
  weight: number;
  upperThreshold: number;
  lowerThreshold: number;
  tunnelType: 'ipip' | TunnelEncapsulation['type'];
  tunnelPort: number;
  readonly columns: Set<ListColumns>;
  daemonRole: SyncDaemonRole;
  daemonInterface: string;
  syncId: number;
  syncLengthBytes: number | undefined;
  multicastGroup: IpAddress | undefined;
  multicastPort: number | undefined;
  multicastTtl: number | undefined;
  timeouts: IpvsTimeouts;
}

/** A command line of which nothing has been read. */
export function emptyDraft(): Draft {
  return {
    given: new Set(),
    family: 4,
    protocol: undefined,
    address: undefined,
    port: 0,
    fwmark: 0,
    scheduler: '',
    persistenceSeconds: undefined,
    netmask: '255.255.255.255' as IpAddress,
    engine: '',
    onePacket: false,
    schedulerFlags: '',
    server: undefined,
    forwarding: 'dr',
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    tunnelType: 'ipip',
    tunnelPort: 0,
    columns: new Set(),
    daemonRole: 'master',
    daemonInterface: 'eth0',
    syncId: 0,
    syncLengthBytes: undefined,
    multicastGroup: undefined,
    multicastPort: undefined,
    multicastTtl: undefined,
    timeouts: { tcpSeconds: 0, tcpFinSeconds: 0, udpSeconds: 0 },
  };
}

/** Takes one option into the draft. Gives what is wrong with it, in ipvsadm's words, or nothing. */
export type OptionTaker = (draft: Draft, value: string, names: NameLookup) => string | undefined;

/** Reads a timeout in seconds into `take`. */
export function takeTimeout(
  text: string,
  minimum: number,
  take: (seconds: number) => void,
): string | undefined {
  const message = `invalid timeout value \`${text}' specified`;
  return takeNumber(text, minimum, timeoutSecondsMax, message, take);
}

/** What each option does. Those that are absent only count as given. */
export const optionTakers: Partial<Record<OptionTag, OptionTaker>> = {
  'tcp-service': (draft, text, names) => takeService(draft, 'tcp', text, names),
  'udp-service': (draft, text, names) => takeService(draft, 'udp', text, names),
  'sctp-service': (draft, text, names) => takeService(draft, 'sctp', text, names),
  'fwmark-service': (draft, text) => {
    draft.family = 4;
    draft.protocol = 'tcp';
    return takeNumber(text, 1, markMax, `invalid fwmark value \`${text}' specified`, (mark) => {
      draft.fwmark = mark;
    });
  },
  ipv6: (draft) => {
    if (draft.fwmark === 0) return '-6 used before -f\n';
    draft.family = 6;
    draft.netmask = 128;
    return undefined;
  },
  scheduler: (draft, text) => {
    draft.scheduler = text.slice(0, nameLengthMax.scheduler);
    return undefined;
  },
  persistent: (draft, text) => {
    draft.persistenceSeconds = persistenceSecondsDefault;
    if (text === '') return undefined;
    return takeTimeout(text, 1, (seconds) => {
      draft.persistenceSeconds = seconds;
    });
  },
  netmask: takeNetmask,
  'real-server': takeServer,
  masquerading: (draft) => {
    draft.forwarding = 'nat';
    return undefined;
  },
  ipip: (draft) => {
    draft.forwarding = 'tunnel';
    return undefined;
  },
  gatewaying: (draft) => {
    draft.forwarding = 'dr';
    return undefined;
  },
  weight: (draft, text) =>
    takeNumber(text, 0, signedMax, 'illegal weight specified', (weight) => {
      draft.weight = weight;
    }),
  'u-threshold': (draft, text) =>
    takeNumber(text, 0, signedMax, 'illegal u_threshold specified', (threshold) => {
      draft.upperThreshold = threshold;
    }),
  'l-threshold': (draft, text) =>
    takeNumber(text, 0, signedMax, 'illegal l_threshold specified', (threshold) => {
      draft.lowerThreshold = threshold;
    }),
  'mcast-interface': (draft, text) => {
    draft.daemonInterface = text.slice(0, nameLengthMax.interface);
    return undefined;
  },
  syncid: (draft, text) =>
    takeNumber(text, 0, 255, 'illegal syncid specified', (id) => {
      draft.syncId = id;
    }),
  'sync-maxlen': (draft, text) =>
    takeNumber(text, 1, datagramBytesMax, 'illegal sync-maxlen specified', (length) => {
      draft.syncLengthBytes = length;
    }),
  'mcast-group': (draft, text) => {
    const group = parseIpAddress(text);
    if (group === undefined || !isMulticastAddress(group)) {
      return `invalid IPv${text.includes(':') ? 6 : 4} mcast-group \`${text}'`;
    }
    draft.multicastGroup = group;
    return undefined;
  },
  'mcast-port': (draft, text) =>
    takeNumber(text, 1, 0xffff, 'illegal mcast-port specified', (port) => {
      draft.multicastPort = port;
    }),
  'mcast-ttl': (draft, text) =>
    takeNumber(text, 1, 255, 'illegal mcast-ttl specified', (ttl) => {
      draft.multicastTtl = ttl;
    }),
  stats: (draft) => takeColumns(draft, 'statistics'),
  rate: (draft) => takeColumns(draft, 'rates'),
  thresholds: (draft) => takeColumns(draft, 'thresholds'),
  'persistent-conn': (draft) => takeColumns(draft, 'persistent-connections'),
  'tun-info': (draft) => takeColumns(draft, 'tunnels'),
  ops: (draft) => {
    draft.onePacket = true;
    return undefined;
  },
  pe: (draft, text) => {
    draft.engine = text.slice(0, nameLengthMax.engine);
    return undefined;
  },
  'sched-flags': (draft, text) => {
    draft.schedulerFlags = text;
    return undefined;
  },
  'tun-type': (draft, text) => {
    if (text !== 'ipip' && text !== 'gue' && text !== 'gre') {
      return 'illegal tunnel type specified';
    }
    draft.tunnelType = text;
    return undefined;
  },
  'tun-port': (draft, text) =>
    takeNumber(text, 1, 0xffff, 'illegal tunnel port specified', (port) => {
      draft.tunnelPort = port;
    }),
};

function takeService(
  draft: Draft,
  protocol: IpvsProtocol,
  text: string,
  names: NameLookup,
): string | undefined {
  draft.protocol = protocol;
  const endpoint = parseEndpoint(text, protocol, names);
  if (endpoint === undefined) return 'illegal virtual server address[:port] specified';
  draft.address = endpoint.address;
  draft.port = endpoint.port ?? draft.port;
  draft.family = endpoint.address.includes(':') ? 6 : 4;
  // The whole address, also over a mask that stood before; an IPv4 address leaves that one alone.
  if (draft.family === 6) draft.netmask = 128;
  return undefined;
}

/** A server without a port has that of the service, if that has been read by then. */
function takeServer(draft: Draft, text: string, names: NameLookup): string | undefined {
  const endpoint = parseEndpoint(text, draft.protocol, names);
  if (endpoint === undefined) return 'illegal real server address[:port] specified';
  draft.server = { address: endpoint.address, port: endpoint.port ?? draft.port };
  return undefined;
}

/** Which kind of mask it is depends on the family of the service before it. */
function takeNetmask(draft: Draft, text: string, names: NameLookup): string | undefined {
  if (draft.family === 6) {
    const length = leadingInteger(text);
    if (length < 1 || length > 128) return 'illegal ipv6 netmask specified';
    draft.netmask = length;
    return undefined;
  }
  const mask = parseLooseIpv4(text) ?? names.addressOf(text);
  if (mask === undefined) return 'illegal virtual server persistent mask specified';
  draft.netmask = mask;
  return undefined;
}

function takeColumns(draft: Draft, columns: ListColumns): undefined {
  draft.columns.add(columns);
  return undefined;
}

function takeNumber(
  text: string,
  minimum: number,
  maximum: number,
  message: string,
  take: (value: number) => void,
): string | undefined {
  const value = parseInteger(text, minimum, maximum);
  if (value === undefined) return message;
  take(value);
  return undefined;
}
