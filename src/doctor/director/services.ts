/** The services of a director as the findings look at them. Pure. */
import { familyOf, type IpAddress, type IpFamily } from '../../wire/ipAddress.js';
import type { ForwardingMethod, ServiceIdentity } from '../../wire/ipvsModel.js';
import { formatServerIdentity, formatServiceIdentity } from '../../wire/ipvsText.js';
import type { DirectorFacts, ServerFact, ServiceFact, WaitingConnection } from '../facts.js';
import { markedTargets } from '../marks.js';

/** The services of the kernel's table; none when it could not be read. */
export function servicesOf({ table }: DirectorFacts): readonly ServiceFact[] {
  return table.kind === 'read' ? table.services : [];
}

/** A server beside its service. */
export interface ServedPair {
  readonly service: ServiceFact;
  readonly server: ServerFact;
}

/** Every server of every service that is reached by a method. */
export function serversBy(facts: DirectorFacts, method: ForwardingMethod): readonly ServedPair[] {
  return servicesOf(facts).flatMap((service) =>
    service.servers
      .filter(({ server }) => server.forwarding === method)
      .map((server) => ({ service, server })),
  );
}

/** The name of a service: `tcp://172.25.254.100:80`. */
export function nameOf({ service }: ServiceFact): string {
  return formatServiceIdentity(service.identity);
}

/** The name of a server: `192.168.0.10:80`. */
export function serverName({ server }: ServerFact): string {
  return formatServerIdentity(server);
}

/** The family of the clients of a service. */
export function familyOfService({ service: { identity } }: ServiceFact): IpFamily {
  return identity.kind === 'address' ? familyOf(identity.address) : identity.family;
}

/** Every virtual address in the table and behind its marks, and those of the configuration. */
export function virtualAddressesOf(facts: DirectorFacts): readonly IpAddress[] {
  const { configuration, chains } = facts;
  const found = servicesOf(facts).flatMap(({ service: { identity } }) =>
    identity.kind === 'address'
      ? [identity.address]
      : markedAddresses(identity, chains, configuration),
  );
  return [...new Set([...found, ...configuredAddresses(configuration)])];
}

/** The addresses that a mark stands for: those of its rules, and those of the configuration. */
export function markedAddresses(
  { fwmark, family }: ServiceIdentity & { readonly kind: 'fwmark' },
  chains: DirectorFacts['chains'],
  configuration: DirectorFacts['configuration'],
): readonly IpAddress[] {
  const marks = configuration.kind === 'read' ? configuration.marks : [];
  return [
    ...new Set([
      ...markedTargets(chains, fwmark, family).map(({ address }) => address),
      ...marks
        .filter((mark) => mark.fwmark === fwmark && mark.family === family)
        .flatMap(({ addresses }) => addresses),
    ]),
  ];
}

function configuredAddresses(configuration: DirectorFacts['configuration']): readonly IpAddress[] {
  return configuration.kind === 'read' ? configuration.virtualAddresses : [];
}

/** Connections that wait for a server of a service. */
export function waitingFor(facts: DirectorFacts, pair: ServedPair): readonly WaitingConnection[] {
  const { table } = facts;
  if (table.kind !== 'read') return [];
  const { identity } = pair.service.service;
  return table.waiting.filter(
    (waiting) =>
      waiting.server === pair.server.server.address &&
      (pair.server.server.port === 0 || waiting.serverPort === pair.server.server.port) &&
      (identity.kind === 'fwmark' || waiting.virtual === identity.address),
  );
}

/** `a, b and 3 more`: a list of names that stays readable. */
export function listed(names: readonly string[], max = 4): string {
  const unique = [...new Set(names)];
  const shown = unique.slice(0, max);
  const more = unique.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`;
}
