/** What the links, addresses and routes of a machine say of a tracker. Pure. */
import type { InterfaceAddress, Link, Route } from '../kernel/routeModel.js';
import { formatIpPrefix, type IpPrefix } from '../wire/ipAddress.js';
import type { LinkSubject, TrackerObservation } from './model.js';

/** What was read from the kernel, laid out so that thousands of subjects are judged quickly. */
export interface LinkView {
  readonly links: ReadonlyMap<string, Link>;
  readonly nameOf: (interfaceIndex: number | undefined) => string;
  /** Names of the interfaces that have an address. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
  /** By {@link routeKey}; several differ in metric or priority. */
  readonly routes: ReadonlyMap<string, readonly Route[]>;
}

/** What makes two routes ways to the same destination in one table. */
export function routeKey(route: {
  readonly table: number;
  readonly destination: IpPrefix;
}): string {
  return `${formatIpPrefix(route.destination)} table ${route.table}`;
}

/** Lays out what was read. */
export function makeLinkView(read: {
  readonly links: readonly Link[];
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
}): LinkView {
  const names = new Map(read.links.map(({ index, name }) => [index, name]));
  // An interface that went while its addresses were read has no name any more.
  const nameOf = (index: number | undefined): string =>
    (index === undefined ? undefined : names.get(index)) ?? `interface ${index ?? '?'}`;
  const holders = new Map<string, string[]>();
  for (const { prefix, interfaceIndex } of read.addresses) {
    append(holders, prefix.address, nameOf(interfaceIndex));
  }
  const routes = new Map<string, Route[]>();
  for (const route of read.routes) append(routes, routeKey(route), route);
  const links = new Map(read.links.map((link) => [link.name, link]));
  return { links, nameOf, holders, routes };
}

/** Judges one subject by what the kernel says. */
export function observeLink(subject: LinkSubject, view: LinkView): TrackerObservation {
  switch (subject.type) {
    case 'interface':
      return observeInterface(subject.interface, view);
    case 'address':
      return observeAddress(subject, view);
    case 'route':
      return observeRoute(subject, view);
  }
}

function observeInterface(name: string, view: LinkView): TrackerObservation {
  const link = view.links.get(name);
  if (link === undefined) return failed(`there is no interface ${name}`);
  if (!link.up) return failed(`${name} is down`);
  return link.running ? passed(`${name} is up`) : failed(`${name} has no carrier`);
}

function observeAddress(
  subject: Extract<LinkSubject, { type: 'address' }>,
  view: LinkView,
): TrackerObservation {
  const { address, interface: name } = subject;
  const holders = view.holders.get(address) ?? [];
  const wanted = name === undefined ? holders[0] : holders.find((holder) => holder === name);
  if (wanted !== undefined) return passed(`${address} is on ${wanted}`);
  if (name === undefined) return failed(`${address} is on no interface`);
  const elsewhere = holders.length === 0 ? '' : ` but on ${holders.join(', ')}`;
  return failed(`${address} is not on ${name}${elsewhere}`);
}

function observeRoute(
  subject: Extract<LinkSubject, { type: 'route' }>,
  view: LinkView,
): TrackerObservation {
  const { destination, gateway, interface: name, table } = subject;
  const text = destination.length === 0 ? 'the default route' : formatIpPrefix(destination);
  const there = view.routes.get(routeKey(subject)) ?? [];
  if (there.length === 0) return failed(`${text} is not in table ${table}`);
  const fitting = there
    .flatMap(({ hops }) => hops)
    .filter((hop) => gateway === undefined || hop.gateway === gateway)
    .filter((hop) => name === undefined || view.nameOf(hop.interfaceIndex) === name);
  const hop = fitting.find(({ usable }) => usable);
  if (hop !== undefined) {
    const via = hop.gateway === undefined ? '' : ` via ${hop.gateway}`;
    return passed(`${text} is there${via} on ${view.nameOf(hop.interfaceIndex)}`);
  }
  const but = fitting.length > 0 ? 'its link is down' : 'leads another way';
  return failed(`${text} is in table ${table}, but ${but}`);
}

function append<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function passed(detail: string): TrackerObservation {
  return { outcome: 'passed', detail };
}

function failed(detail: string): TrackerObservation {
  return { outcome: 'failed', detail };
}
