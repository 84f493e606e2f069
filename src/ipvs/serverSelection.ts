/** Which servers an operator means: `10.0.0.2`, `10.0.0.2:80`, `web/10.0.0.2`. Pure. */
import type { ServerConfig, ServiceConfig } from '../config/model.js';
import { formatEndpoint, type IpAddress, parseIpAddress } from '../wire/ipAddress.js';
import { type ServerId, serverId } from './desired.js';

/** Candidates that a message lists at most. */
const candidatesShown = 20;

/** One server of one service. */
export interface SelectedServer {
  readonly id: ServerId;
  readonly service: ServiceConfig;
  readonly server: ServerConfig;
}

/** The servers that are meant, or why that is not clear. */
export type ServerSelection =
  | { readonly kind: 'found'; readonly servers: readonly SelectedServer[] }
  | { readonly kind: 'refused'; readonly message: string; readonly hint: string };

interface Selector {
  readonly service: string | undefined;
  readonly address: IpAddress;
  readonly port: number | undefined;
}

/**
 * Finds servers by `[SERVICE/]ADDRESS[:PORT]`. More than one is an error that lists them, unless
 * `all` are wanted.
 */
export function selectServers(
  text: string,
  services: readonly ServiceConfig[],
  all: boolean,
): ServerSelection {
  const selector = parseSelector(text);
  if (selector === undefined) {
    return {
      kind: 'refused',
      message: `${text} does not name a server`,
      hint: 'Write ADDRESS, ADDRESS:PORT or SERVICE/ADDRESS:PORT, IPv6 with a port as [::1]:80.',
    };
  }
  const servers = services.flatMap((service) =>
    service.servers
      .filter((server) => matches(selector, service, server))
      .map((server) => ({ id: serverId(service.name, server), service, server })),
  );
  if (servers.length === 0) return nothingFound(text, selector, services);
  if (servers.length === 1 || all) return { kind: 'found', servers };
  return {
    kind: 'refused',
    message: `${text} is ${servers.length} servers: ${shown(servers.map(({ id }) => id))}`,
    hint: 'Name one of them, or take all of them with --all.',
  };
}

function nothingFound(
  text: string,
  selector: Selector,
  services: readonly ServiceConfig[],
): ServerSelection {
  const named = services.filter(({ name }) => name === selector.service);
  if (selector.service !== undefined && named.length === 0) {
    return {
      kind: 'refused',
      message: `there is no service ${selector.service}`,
      hint: `There are: ${shown(services.map(({ name }) => name))}.`,
    };
  }
  const ids = (named.length === 0 ? services : named).flatMap((service) =>
    service.servers.map((server) => serverId(service.name, server)),
  );
  return {
    kind: 'refused',
    message: `no service has a server ${text}`,
    hint: `There are: ${shown(ids)}.`,
  };
}

function shown(words: readonly string[]): string {
  if (words.length === 0) return 'none';
  const more = words.length - candidatesShown;
  return words.slice(0, candidatesShown).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Names of services have no slash, so the last one is the border. */
function parseSelector(text: string): Selector | undefined {
  const border = text.lastIndexOf('/');
  const service = border < 0 ? undefined : text.slice(0, border);
  const endpoint = text.slice(border + 1);
  const whole = parseIpAddress(endpoint);
  if (whole !== undefined) return { service, address: whole, port: undefined };
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(endpoint);
  const address = parseIpAddress(parts?.[1] ?? parts?.[2] ?? '');
  if (parts === null || address === undefined) return undefined;
  const port = parts[3] === undefined ? undefined : Number(parts[3]);
  return { service, address, port };
}

function matches(selector: Selector, service: ServiceConfig, server: ServerConfig): boolean {
  if (selector.service !== undefined && selector.service !== service.name) return false;
  // Text forms of one address differ, its canonical form does not.
  const same = (port: number): string => formatEndpoint(selector.address, port);
  const wanted = same(selector.port ?? server.port);
  return wanted === formatEndpoint(server.address, server.port);
}
