/** Findings in the firewall of a director: each packet of a service is led through it. Pure. */
import { familyOf, formatEndpoint, type IpAddress } from '../../wire/ipAddress.js';
import type { IpvsProtocol } from '../../wire/ipvsModel.js';
import type { DirectorFacts } from '../facts.js';
import type { Finding } from '../findings.js';
import type { FirewallHook, WalkedPacket } from '../firewall/model.js';
import { certainEnd, describeEnd } from '../firewall/walk.js';
import { markedTargets } from '../marks.js';
import { interfaceFor, routeTo } from '../paths.js';
import { tunnelPacket } from '../tunnelPackets.js';
import { nameOf, type ServedPair, serverName, serversBy } from './services.js';

/** Numbers of the protocols that are balanced, and of the election. */
export const protocolNumbers: Readonly<Record<IpvsProtocol | 'vrrp', number>> = {
  tcp: 6,
  udp: 17,
  sctp: 132,
  vrrp: 112,
};

interface Step {
  readonly id: 'firewall-drops-requests' | 'firewall-drops-answers';
  readonly what: string;
  readonly hooks: readonly FirewallHook[];
  readonly packet: WalkedPacket;
}

/** Rules that certainly drop requests or answers of a service. */
export function firewallDrops(facts: DirectorFacts): readonly Finding[] {
  const found = new Map<string, { finding: Finding; places: Set<string> }>();
  for (const pair of (['nat', 'dr', 'tunnel'] as const).flatMap((way) => serversBy(facts, way))) {
    for (const step of stepsOf(facts, pair)) {
      const end = certainEnd(facts.chains, step.hooks, step.packet);
      if (end === undefined) continue;
      const place = describeEnd(end);
      // One rule that drops for many servers is one finding.
      const key = `${step.id} ${place}`;
      const entry = found.get(key) ?? { finding: dropFinding(step, place), places: new Set() };
      entry.places.add(step.what);
      found.set(key, entry);
    }
  }
  return [...found.values()].map(({ finding, places }) => {
    const shown = [...places].slice(0, placesMax);
    const more = places.size - shown.length;
    const rest = more === 0 ? [] : [`and ${more} more`];
    return {
      ...finding,
      seen: [...finding.seen, ...shown.map((what) => `drops ${what}`), ...rest],
    };
  });
}

const placesMax = 4;

function dropFinding({ id, packet }: Step, place: string): Finding {
  const isAnswer = id === 'firewall-drops-answers';
  const untracked = isAnswer && packet.state === 'invalid';
  return {
    id,
    severity: 'fault',
    what: isAnswer
      ? "The director's firewall drops the answers of servers: requests arrive, answers do not."
      : "The director's firewall drops the requests of clients.",
    seen: [place],
    todo: [
      isAnswer
        ? 'Let forwarded packets from the servers pass, before that rule.'
        : 'Let packets to the service pass, before that rule.',
      ...(untracked
        ? [
            'A rule for ESTABLISHED does not match: connection tracking does not see balanced ' +
              'connections unless net.ipv4.vs.conntrack is 1.',
          ]
        : []),
    ],
  };
}

/** What clients ask for, as far as it is known. */
interface Target {
  readonly address: IpAddress;
  readonly protocol: IpvsProtocol;
  readonly port: number;
}

/** The packets of one server, at the hooks where IPVS lets them pass (ip_vs_core.c). */
function stepsOf(facts: DirectorFacts, pair: ServedPair): readonly Step[] {
  return targetsOf(facts, pair).flatMap((target) => stepsTo(facts, pair, target));
}

/** A mark stands for what the rules give it to. */
function targetsOf(facts: DirectorFacts, { service }: ServedPair): readonly Target[] {
  const { identity } = service.service;
  if (identity.kind === 'address') return [identity];
  return markedTargets(facts.chains, identity.fwmark, identity.family).map(
    ({ address, protocol = 'tcp', port = 0 }) => ({ address, protocol, port }),
  );
}

function stepsTo(
  facts: DirectorFacts,
  pair: ServedPair,
  { address, port, protocol }: Target,
): readonly Step[] {
  const { server } = pair.server;
  const family = familyOf(address);
  const client = interfaceFor(facts, address);
  const inside = routeTo(facts, server.address)?.interface;
  const number = protocolNumbers[protocol];
  const isTracked = facts.settings['net.ipv4.vs.conntrack'] === '1';
  const base = { family, protocol: number } as const;
  const name = `${nameOf(pair.service)} -> ${serverName(pair.server)}`;
  const isMarked = pair.service.service.identity.kind === 'fwmark';
  const asked = isMarked
    ? `${nameOf(pair.service)} (${formatEndpoint(address, port)})`
    : nameOf(pair.service);
  const request = {
    ...base,
    destination: address,
    ...(port === 0 ? {} : { destinationPort: port }),
    ...(client === undefined ? {} : { inInterface: client }),
    state: 'new',
  } as const;
  const out = inside === undefined ? {} : { outInterface: inside };
  const steps: Step[] = [
    {
      id: 'firewall-drops-requests',
      what: `requests for ${asked}${client === undefined ? '' : ` on ${client}`}`,
      hooks: ['prerouting', 'input'],
      packet: request,
    },
    {
      id: 'firewall-drops-requests',
      what: `requests on their way to ${name}`,
      hooks: ['output'],
      packet: { ...sentPacket(pair, request), ...out, state: isTracked ? 'new' : 'untracked' },
    },
  ];
  if (server.forwarding === 'nat') {
    steps.push({
      id: 'firewall-drops-answers',
      what: `answers ${serverName(pair.server)} -> clients of ${nameOf(pair.service)}`,
      hooks: ['prerouting', 'forward'],
      packet: {
        ...base,
        source: server.address,
        ...(server.port === 0 ? {} : { sourcePort: server.port }),
        ...(inside === undefined ? {} : { inInterface: inside }),
        ...(client === undefined ? {} : { outInterface: client }),
        state: answerState(protocol, isTracked),
      },
    });
  }
  return steps;
}

/**
 * IPVS takes requests out of connection tracking unless told otherwise, so that the answer is the
 * first packet that it sees of a connection: one of TCP then belongs to none (nf_conntrack_tcp).
 */
function answerState(protocol: IpvsProtocol, isTracked: boolean): WalkedPacket['state'] {
  if (isTracked) return 'established';
  return protocol === 'udp' ? 'new' : 'invalid';
}

/** The request as it leaves for the server. */
function sentPacket({ server: { server } }: ServedPair, request: WalkedPacket): WalkedPacket {
  const { family, protocol, state } = request;
  switch (server.forwarding) {
    case 'nat':
      return {
        family,
        protocol,
        state,
        destination: server.address,
        ...(server.port === 0 ? {} : { destinationPort: server.port }),
      };
    case 'tunnel':
      return { ...tunnelPacket(family, server.address, server.encapsulation), state };
    default: {
      const { inInterface: _, ...unchanged } = request;
      return unchanged;
    }
  }
}

/** Rules that certainly drop the advertisements of the other director. */
export function droppedAdvertisements(facts: DirectorFacts): readonly Finding[] {
  const { configuration } = facts;
  if (configuration.kind !== 'read') return [];
  const seen = configuration.advertisements.flatMap(({ interface: name, family }) => {
    const end = certainEnd(facts.chains, ['prerouting', 'input'], {
      family,
      protocol: protocolNumbers.vrrp,
      inInterface: name,
      state: 'new',
    });
    return end === undefined ? [] : [`${describeEnd(end)} drops VRRP on ${name}`];
  });
  if (seen.length === 0) return [];
  return [
    {
      id: 'firewall-drops-advertisements',
      severity: 'fault',
      what: 'The firewall drops the advertisements of the other director: both become Active.',
      seen: [...new Set(seen)],
      todo: ['Let IP protocol 112 (VRRP) from the other director pass, before that rule.'],
    },
  ];
}
