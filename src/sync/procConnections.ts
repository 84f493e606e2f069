/**
 * Rows of /proc/net/ip_vs_conn as entries of the synchronisation. The file lacks the firewall mark
 * and the flags, which are found by the services of this director, and it has what is left of a
 * timeout where an entry has all of it. Pure.
 */
import { familyOf, type IpAddress, ipFromBytes } from '../wire/ipAddress.js';
import type { SyncEntry } from '../wire/syncModel.js';
import { syncFlags } from '../wire/syncModel.js';
import type { KnownService } from './entryValidator.js';

const protocols: Readonly<Record<string, number>> = { TCP: 6, UDP: 17, SCTP: 132, IP: 0 };

const states: Readonly<Record<string, readonly string[]>> = {
  TCP: [
    'NONE',
    'ESTABLISHED',
    'SYN_SENT',
    'SYN_RECV',
    'FIN_WAIT',
    'TIME_WAIT',
    'CLOSE',
    'CLOSE_WAIT',
    'LAST_ACK',
    'LISTEN',
    'SYNACK',
  ],
  UDP: ['UDP'],
  SCTP: [
    'NONE',
    'INIT1',
    'INIT',
    'C-SENT',
    'C-REPLIED',
    'C-WAIT',
    'COOKIE',
    'C-ECHOED',
    'ESTABLISHED',
    'S-SENT',
    'S-RECEIVED',
    'S-ACK-SENT',
    'REJECTED',
    'CLOSED',
  ],
};

const templateStates = ['NONE', 'ASSURED'];

/** States in which TCP counts as active. */
const activeStates: ReadonlySet<string> = new Set([
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'SYNACK',
]);

/** The port of a template that has been made invalid. */
const invalidPort = 0xffff;

const methods = { nat: 0, local: 1, tunnel: 2, dr: 3, bypass: 4 } as const;

/** A service with what its servers are reached by. */
export interface SeedService extends KnownService {
  readonly servers: readonly {
    readonly address: IpAddress;
    readonly port: number;
    readonly forwarding: keyof typeof methods;
  }[];
}

/** The entry of a row; nothing for the heading, invalid templates and what is not known. */
export function entryOfRow(row: string, services: readonly SeedService[]): SyncEntry | undefined {
  const [name = '', from, fromPort, to, toPort, dest, serverPort, state, expires, engine, data] =
    row.trim().split(/\s+/);
  const protocol = protocols[name];
  const addresses = [from, to, dest].map(addressOf);
  const [clientAddress, virtualAddress, serverAddress] = addresses;
  const timeoutSeconds = Number(expires);
  if (protocol === undefined || state === undefined || !(timeoutSeconds > 0)) return undefined;
  if (!clientAddress || !virtualAddress || !serverAddress) return undefined;
  const family = familyOf(clientAddress);
  // An entry has one family; one whose server is of the other cannot be carried.
  if (familyOf(serverAddress) !== family) return undefined;
  const ports = [fromPort, toPort, serverPort].map((text) => Number.parseInt(text ?? '', 16));
  const [clientPort = 0, virtualPort = 0, port = 0] = ports;
  if (virtualPort === invalidPort && port === invalidPort) return undefined;
  const isTemplate = clientPort === 0 && templateStates.includes(state);
  const stateNames = isTemplate ? templateStates : states[name];
  const stateNumber = stateNames?.indexOf(state) ?? -1;
  if (stateNumber < 0) return undefined;
  const isActive = !isTemplate && name !== 'UDP' && activeStates.has(state);
  const service = services.find((known) =>
    isOf(known, { protocol, virtualAddress, virtualPort, serverAddress, family }),
  );
  const server = service?.servers.find(({ address }) => address === serverAddress);
  const forwarding = methods[server?.forwarding ?? 'nat'];
  const flags =
    forwarding |
    (forwarding === methods.nat ? 0 : syncFlags.noOutput) |
    (isTemplate ? syncFlags.template : 0) |
    (isActive ? 0 : syncFlags.inactive);
  return {
    family,
    protocol,
    flags,
    state: stateNumber,
    clientPort,
    virtualPort,
    serverPort: port,
    firewallMark: service?.identity.kind === 'fwmark' ? service.identity.fwmark : 0,
    timeoutSeconds,
    clientAddress,
    virtualAddress,
    serverAddress,
    ...(engine !== undefined && data !== undefined
      ? { persistenceEngine: engine, persistenceData: new TextEncoder().encode(data) }
      : {}),
  };
}

interface Place {
  readonly protocol: number;
  readonly family: 4 | 6;
  readonly virtualAddress: IpAddress;
  readonly virtualPort: number;
  readonly serverAddress: IpAddress;
}

function isOf({ identity, servers }: SeedService, place: Place): boolean {
  if (!servers.some(({ address }) => address === place.serverAddress)) return false;
  if (identity.kind === 'fwmark') return identity.family === place.family;
  const isPort = identity.port === place.virtualPort || identity.port === 0;
  return isPort && identity.address === place.virtualAddress;
}

/** `0A010064` or 39 characters of IPv6. */
function addressOf(text: string | undefined): IpAddress | undefined {
  if (text === undefined) return undefined;
  const hex = text.replaceAll(':', '');
  if (!/^(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{32})$/.test(hex)) return undefined;
  return ipFromBytes(Buffer.from(hex, 'hex'));
}
