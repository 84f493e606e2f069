/** Findings about real servers, from what they answered and from what waits for them. Pure. */
import { prefixContains } from '../../wire/ipAddress.js';
import type { TunnelEncapsulation } from '../../wire/ipvsModel.js';
import type { DirectorFacts, EchoOutcome, ServerProbeFact, WaitingConnection } from '../facts.js';
import type { Finding } from '../findings.js';
import { holderQuestion, linkOf, ownAddressTowards, routeTo } from '../paths.js';
import { tunnelOptionsText } from '../tunnelPackets.js';
import { isStandby } from './pathFindings.js';
import { listed, nameOf, type ServedPair, serverName, serversBy, waitingFor } from './services.js';

/** One entry for each server, with every service that it serves. */
function byAddress(pairs: readonly ServedPair[]): ReadonlyMap<string, readonly ServedPair[]> {
  const groups = new Map<string, ServedPair[]>();
  for (const pair of pairs) {
    const { address } = pair.server.server;
    groups.set(address, [...(groups.get(address) ?? []), pair]);
  }
  return groups;
}

function probeOf(facts: DirectorFacts, address: string): ServerProbeFact | undefined {
  return facts.servers.find((probe) => probe.address === address);
}

/** Whether clients of a server ask again, which shows that they got no answer. */
function asksAgain(facts: DirectorFacts, pair: ServedPair): boolean {
  return pair.server.incomingNow > 0n && waitingFor(facts, pair).some((one) => one.asksAgain);
}

/** Whether clients ask again and nothing at all comes back of a server. */
function isUnanswered(facts: DirectorFacts, pair: ServedPair): boolean {
  if (pair.server.server.forwarding === 'nat') {
    return asksAgain(facts, pair) && pair.server.outgoingNow === 0n;
  }
  // What servers answer by themselves does not come by here; one client alone may be cut off.
  const again = waitingFor(facts, pair).filter((waiting) => waiting.asksAgain);
  return pair.server.incomingNow > 0n && again.length >= unansweredMin;
}

const unansweredMin = 3;

function waitingText(waiting: readonly WaitingConnection[], server: string): string {
  const clients = waiting.map(({ client, clientPort }) => `${client}:${clientPort}`);
  return `${waiting.length} connections wait for an answer of ${server}: ${listed(clients)}`;
}

function countersText({ server: { server } }: ServedPair): string {
  const { incomingPackets, outgoingPackets } = server.statistics;
  const { address } = server;
  return `${incomingPackets} packets went to ${address}, ${outgoingPackets} came back (--stats)`;
}

/** Answers of NAT servers that take another way. */
export function gatewayElsewhere(facts: DirectorFacts): readonly Finding[] {
  // The gateway of the servers moves with the virtual addresses.
  if (isStandby(facts)) return [];
  const findings: Finding[] = [];
  for (const [address, pairs] of byAddress(serversBy(facts, 'nat'))) {
    const probe = probeOf(facts, address);
    if (probe?.own !== 'answered' || probe.foreign !== 'silent') continue;
    const waiting = pairs.flatMap((pair) => waitingFor(facts, pair));
    // A server behind a router has that one as its gateway, which may know another way back.
    if (!probe.onLink && waiting.length === 0) continue;
    const gateway = ownAddressTowards(facts, pairs[0]?.server.server.address ?? probe.address);
    const ipCommand = address.includes(':') ? 'ip -6' : 'ip';
    findings.push({
      id: 'gateway-elsewhere',
      // Servers may know the way to their clients only; a client that waits shows that they do not.
      severity: waiting.length > 0 ? 'fault' : 'risk',
      what: `Answers of the server ${address} do not come back through this director.`,
      seen: [
        `a ping from ${probe.foreignSource ?? 'another network'} to ${address}: its answer did ` +
          'not come here; one from our own address was answered',
        ...(waiting.length > 0 ? [waitingText(waiting, address)] : []),
        ...pairs.slice(0, 1).map(countersText),
      ],
      todo: [
        `On ${address}: \`${ipCommand} route replace default via ${gateway ?? 'DIRECTOR'}\`, ` +
          'better the virtual address of the directors on that network.',
        'A server that keeps its gateway needs direct routing, a tunnel, or `system.masquerade`.',
        `\`tandem doctor --realserver\` on ${address} looks at its routes.`,
      ],
    });
  }
  return findings;
}

/** Clients whose answers go past the director because the server reaches them by itself. */
export function clientsBesideServers(facts: DirectorFacts): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [address, pairs] of byAddress(serversBy(facts, 'nat'))) {
    const networks = facts.addresses.filter(({ prefix }) =>
      pairs.some(({ server }) => prefixContains(prefix, server.server.address)),
    );
    const beside = pairs
      .filter(({ server }) => server.incomingNow > 0n)
      .flatMap((pair) => waitingFor(facts, pair))
      .filter(
        ({ client, asksAgain }) =>
          asksAgain && networks.some(({ prefix }) => prefixContains(prefix, client)),
      );
    if (beside.length === 0) continue;
    findings.push({
      id: 'client-beside-server',
      severity: 'fault',
      what: `Clients on the network of ${address} get its answers past the director.`,
      seen: [waitingText(beside, address)],
      todo: [
        'Direct routing (`forward: dr`) serves clients on that network.',
        'Or `system.masquerade` for that network with net.ipv4.vs.conntrack=1, so that servers ' +
          'see the director as the client.',
      ],
    });
  }
  return findings;
}

/** Servers for direct routing or tunnels that do not take packets for the virtual address. */
export function missingOnServers(facts: DirectorFacts): readonly Finding[] {
  const findings: Finding[] = [];
  for (const mode of ['dr', 'tunnel'] as const) {
    for (const [address, pairs] of byAddress(serversBy(facts, mode))) {
      const probe = probeOf(facts, address);
      if (probe?.own !== 'answered') continue;
      for (const missing of mode === 'dr' ? missingDirect(probe) : missingTunnelled(probe)) {
        // A router on the way may refuse to pass an answer from the virtual address to a director.
        const isSure =
          missing.refused || probe.onLink || pairs.some((pair) => asksAgain(facts, pair));
        if (!isSure) continue;
        const waiting = pairs.flatMap((pair) => waitingFor(facts, pair));
        findings.push(
          mode === 'dr'
            ? addressFinding(address, missing, waiting)
            : tunnelFinding(address, missing, waiting),
        );
      }
    }
  }
  return findings;
}

/** Virtual addresses that a server does not take packets for, one way that they come. */
interface MissingAddresses {
  readonly virtual: readonly string[];
  readonly encapsulation?: TunnelEncapsulation;
  /** Whether the server said so. */
  readonly refused: boolean;
}

function isMissing(outcome: EchoOutcome): boolean {
  return outcome === 'silent' || outcome === 'refused';
}

function missingDirect({ direct }: ServerProbeFact): readonly MissingAddresses[] {
  const virtual = Object.keys(direct).filter((address) => isMissing(direct[address]));
  if (virtual.length === 0) return [];
  return [{ virtual, refused: virtual.some((address) => direct[address] === 'refused') }];
}

/** One entry for each way to wrap packets. */
function missingTunnelled({ tunnelled }: ServerProbeFact): readonly MissingAddresses[] {
  const groups = new Map<string, MissingAddresses>();
  for (const { virtual, encapsulation, outcome } of tunnelled) {
    if (!isMissing(outcome)) continue;
    const options = tunnelOptionsText(encapsulation);
    const before = groups.get(options);
    groups.set(options, {
      virtual: [...(before?.virtual ?? []), virtual],
      ...(encapsulation === undefined ? {} : { encapsulation }),
      refused: before?.refused === true || outcome === 'refused',
    });
  }
  return [...groups.values()];
}

function addressFinding(
  address: string,
  { virtual, refused }: MissingAddresses,
  waiting: readonly WaitingConnection[],
): Finding {
  const answer = refused ? 'was refused' : 'was not answered';
  const apply = `tandem realserver apply --vip ${virtual.join(' ')} --mode dr`;
  return {
    id: 'virtual-address-missing',
    severity: 'fault',
    what: `The server ${address} does not have the virtual address ${listed(virtual)}.`,
    seen: [
      `a ping for ${listed(virtual)} handed to ${address} ${answer}; one for its own was`,
      ...(waiting.length > 0 ? [waitingText(waiting, address)] : []),
    ],
    todo: [`On ${address}: \`${apply} --persist\` (the address on lo, quiet ARP).`],
  };
}

function tunnelFinding(
  address: string,
  { virtual, encapsulation, refused }: MissingAddresses,
  waiting: readonly WaitingConnection[],
): Finding {
  const kind = encapsulation === undefined ? 'a tunnel' : `a ${encapsulation.type} tunnel`;
  const answer = refused ? 'was refused (ICMP: nobody takes it in)' : 'was not answered';
  const options = tunnelOptionsText(encapsulation);
  // What systemd-networkd has no words for cannot be made persistent.
  const isSummed = encapsulation?.type === 'gre' && encapsulation.checksum === 'full';
  const own = ` --server ${address}${isSummed ? '' : ' --persist'}`;
  const apply = `tandem realserver apply --vip ${virtual.join(' ')} --mode tunnel${options}${own}`;
  return {
    id: 'tunnel-missing',
    severity: 'fault',
    what: `The server ${address} does not take ${listed(virtual)} out of the tunnel.`,
    seen: [
      `a ping for ${listed(virtual)} in ${kind} to ${address} ${answer}; one without a tunnel ` +
        'was answered',
      ...(waiting.length > 0 ? [waitingText(waiting, address)] : []),
    ],
    todo: [
      `On ${address}: \`${apply}\` (its device up with the address, a loose rp_filter).`,
      `\`tandem doctor --realserver\` on ${address} tells which of them is missing.`,
    ],
  };
}

/** Servers that cannot be reached. */
export function unreachableServers(facts: DirectorFacts): readonly Finding[] {
  const findings: Finding[] = [];
  const methods = ['nat', 'dr', 'tunnel'] as const;
  for (const [address, pairs] of byAddress(methods.flatMap((way) => serversBy(facts, way)))) {
    const [first] = pairs;
    const probe = probeOf(facts, address);
    if (first === undefined) continue;
    const target = first.server.server.address;
    const route = routeTo(facts, target);
    // A link that is down is a finding of its own.
    if (linkOf(facts, route?.interface)?.running === false) continue;
    if (route === undefined) {
      findings.push({
        ...unreachable(address),
        seen: [`there is no route to ${address}`],
        todo: ['Give this machine an address in the network of the server, or a route to it.'],
      });
    } else if (probe?.onLink === true && probe.macAddress === undefined) {
      findings.push({
        ...unreachable(address),
        seen: [
          `nobody answers ${holderQuestion(target).name} for ${address} on ` +
            `${probe.interface ?? 'its network'}`,
        ],
        todo: ['Is the machine up, and in that network? Is the address right?'],
      });
    } else if (first.service.service.identity.kind === 'address' || facts.connects.length > 0) {
      findings.push(...connectFindings(facts, address));
    }
  }
  return findings;
}

function unreachable(address: string) {
  return {
    id: 'server-unreachable',
    severity: 'fault',
    what: `The server ${address} is not reachable from here.`,
  } as const;
}

function connectFindings(facts: DirectorFacts, address: string): readonly Finding[] {
  return facts.connects
    .filter((connect) => connect.address === address && connect.outcome !== 'connected')
    .map((connect): Finding => {
      const { port, outcome, detail } = connect;
      const at = `${address}:${port}`;
      if (outcome === 'refused') {
        return {
          id: 'server-refuses',
          severity: 'fault',
          what: `Nothing listens at ${at}.`,
          seen: [`a connection from here was refused (${detail})`],
          todo: [
            `Start the service on ${address}: \`ss -ltn\` there shows what listens.`,
            'It may listen at another port or at 127.0.0.1 only.',
          ],
        };
      }
      return {
        ...unreachable(at),
        seen: [`a connection from here ended with: ${detail}`],
        todo: [
          `A firewall on ${address} may drop it: \`tandem doctor --realserver\` there, or ` +
            '`nft list ruleset`, `iptables-save`, `firewall-cmd --list-all`.',
        ],
      };
    });
}

/** Paths that do not carry what a tunnel adds. */
export function narrowTunnels(facts: DirectorFacts): readonly Finding[] {
  const findings: Finding[] = [];
  for (const address of byAddress(serversBy(facts, 'tunnel')).keys()) {
    const probe = probeOf(facts, address);
    if (probe?.own !== 'answered' || probe.large?.outcome !== 'silent') continue;
    findings.push({
      id: 'tunnel-mtu',
      severity: 'fault',
      what: `Large packets do not get through to ${address}.`,
      seen: [
        `a ping of ${probe.large.bytes} bytes to ${address}, which must not be fragmented: no ` +
          'answer; a small one was answered',
        `the interface ${probe.interface ?? ''} says that it carries as much`.replace('  ', ' '),
      ],
      todo: [
        'Make the MTU of the interfaces what the whole path carries, or raise it on the path.',
        'Or let servers announce smaller segments: `ip route ... advmss 1400` on them.',
      ],
    });
  }
  return findings;
}

/** Unanswered requests that nothing else explains. */
export function unexplainedSilence(
  facts: DirectorFacts,
  others: readonly Finding[],
): readonly Finding[] {
  if (others.some(({ severity }) => severity === 'fault')) return [];
  return (['nat', 'dr', 'tunnel'] as const)
    .flatMap((mode) => serversBy(facts, mode))
    .filter((pair) => isUnanswered(facts, pair))
    .map((pair) => ({
      id: 'answers-missing',
      severity: 'fault',
      what:
        `Requests for ${nameOf(pair.service)} go to ${serverName(pair.server)}; answers do not ` +
        'come back.',
      seen: [
        waitingText(waitingFor(facts, pair), serverName(pair.server)),
        ...(pair.server.server.forwarding === 'nat' ? [countersText(pair)] : []),
      ],
      todo: [
        `\`tandem doctor --realserver\` on ${pair.server.server.address} looks at its ` +
          'gateway (with NAT: this director), its firewall and its virtual addresses.',
        `\`tcpdump -ni ${routeTo(facts, pair.server.server.address)?.interface ?? 'any'} host ` +
          `${pair.server.server.address}\` shows whether it answers at all.`,
      ],
    }));
}
