/** Names of hosts and services from the system: /etc/services and the resolver. */
import { readFileSync } from 'node:fs';
import { type IpAddress, parseIpAddress } from '../../wire/ipAddress.js';
import type { IpvsProtocol } from '../../wire/ipvsModel.js';
import { addressAsText, endpointAsText } from './addressText.js';
import { type EndpointNames, type NameLookup, type PortNames, parseServicesFile } from './names.js';

/** Endpoints as numbers, which need no resolver. */
export const numericNames: EndpointNames = { endpoint: endpointAsText };

/** Most look-ups under way at a time. */
const lookupsMax = 16;

/**
 * Looks names up. The parser is synchronous: it asks for hosts that are not known yet, which are
 * remembered, looked up with {@link HostNames.learn}, and known the next time.
 */
export class HostNames implements NameLookup, EndpointNames {
  readonly #addresses = new Map<string, IpAddress | undefined>();
  readonly #hosts = new Map<IpAddress, string | undefined>();
  readonly #unknown = new Set<string>();
  #ports: PortNames | undefined;

  /** Whether hosts were asked for that are to be looked up first. */
  get incomplete(): boolean {
    return this.#unknown.size > 0;
  }

  portOf(service: string, protocol: IpvsProtocol): number | undefined {
    return this.#portNames().portByName.get(`${service}/${protocol}`);
  }

  addressOf(host: string): IpAddress | undefined {
    if (!this.#addresses.has(host)) this.#unknown.add(host);
    return this.#addresses.get(host);
  }

  endpoint(address: IpAddress, port: number, protocol: IpvsProtocol | undefined): string {
    const host = this.#hosts.get(address) ?? addressAsText(address);
    const name = this.#portNames().nameByPort.get(`${port}/${protocol}`) ?? String(port);
    return address.includes(':') ? `[${host}]:${name}` : `${host}:${name}`;
  }

  /** Looks up the hosts that were asked for. */
  async learn(): Promise<void> {
    const { lookup } = await import('node:dns/promises');
    const hosts = [...this.#unknown];
    this.#unknown.clear();
    await inTurns(hosts, async (host) => {
      const found = await lookup(host, { family: 4 }).catch(() => undefined);
      this.#addresses.set(host, found && parseIpAddress(found.address));
    });
  }

  /** Looks up the names of addresses, so that endpoints are written with them. */
  async learnHosts(addresses: Iterable<IpAddress>): Promise<void> {
    const { lookupService } = await import('node:dns/promises');
    const unknown = [...new Set(addresses)].filter((address) => !this.#hosts.has(address));
    await inTurns(unknown, async (address) => {
      const found = await lookupService(address, 0).catch(() => undefined);
      this.#hosts.set(address, found?.hostname);
    });
  }

  #portNames(): PortNames {
    this.#ports ??= parseServicesFile(readIfThere('/etc/services'));
    return this.#ports;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function inTurns<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += lookupsMax) {
    await Promise.all(items.slice(start, start + lookupsMax).map(work));
  }
}
