/** Names of hosts and services, as parser and listings need them. */
import type { IpAddress } from '../../wire/ipAddress.js';
import type { IpvsProtocol } from '../../wire/ipvsModel.js';

/** Looks names up for the parser. */
export interface NameLookup {
  /** The port of a service of /etc/services; `undefined` when it has none of that name. */
  portOf(service: string, protocol: IpvsProtocol): number | undefined;
  /** The first IPv4 address of a host; `undefined` when it has none, or is not known yet. */
  addressOf(host: string): IpAddress | undefined;
}

/** Writes endpoints for the listings. */
export interface EndpointNames {
  /** `address:port`, in names or numbers. The protocol is absent where ports have no names. */
  endpoint(address: IpAddress, port: number, protocol: IpvsProtocol | undefined): string;
}

/** The names of ports: `80/tcp` to `http`, and back. */
export interface PortNames {
  readonly portByName: ReadonlyMap<string, number>;
  readonly nameByPort: ReadonlyMap<string, string>;
}

/** Reads the text of a file in the format of services(5). The first entry of a port counts. */
export function parseServicesFile(text: string): PortNames {
  const portByName = new Map<string, number>();
  const nameByPort = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [name, endpoint, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const match = /^(\d+)\/(\w+)$/.exec(endpoint ?? '');
    if (name === undefined || match === null) continue;
    const protocol = match[2] ?? '';
    const port = Number(match[1]);
    for (const alias of [name, ...aliases]) {
      const key = `${alias}/${protocol}`;
      if (!portByName.has(key)) portByName.set(key, port);
    }
    if (!nameByPort.has(`${port}/${protocol}`)) nameByPort.set(`${port}/${protocol}`, name);
  }
  return { portByName, nameByPort };
}
