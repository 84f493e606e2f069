/** Asks the network about virtual addresses and real servers. */
import { TandemError } from '../../errors.js';
import { familyOf, type IpAddress, ipAddress } from '../../wire/ipAddress.js';
import type { ArpFact, EchoOutcome, LinkFact, NetworkFacts, ServerProbeFact } from '../facts.js';
import { interfaceFor, isOnLink, isOwn, linkOf, ownAddressTowards, routeTo } from '../paths.js';
import { LinkAsker } from './frames.js';

/** What is to be asked about one server. */
export interface ServerQuestion {
  readonly address: IpAddress;
  /** Whether answers have to come back through this machine. */
  readonly translated: boolean;
  /** Virtual addresses that it must take packets for, by the way they come. */
  readonly direct: readonly IpAddress[];
  readonly tunnelled: readonly IpAddress[];
}

/** What is to be asked. */
export interface Questions {
  readonly virtualAddresses: readonly IpAddress[];
  readonly servers: readonly ServerQuestion[];
  /** An address that this machine does not have, which pings come from as if from a client. */
  readonly foreignSource: IpAddress;
}

/** What was heard. */
export interface Answers {
  readonly arp: readonly ArpFact[];
  readonly servers: readonly ServerProbeFact[];
  readonly notLookedAt: readonly string[];
}

/** Stands for a client where none is known (RFC 5737, TEST-NET-1). */
export const unknownClient: IpAddress = ipAddress('192.0.2.1');

const anyAddress = ipAddress('0.0.0.0');

/** Servers beyond this many are not asked. */
export const askedServersMax = 64;

/** Asks everything, link by link at the same time. */
export async function askNetwork(facts: NetworkFacts, questions: Questions): Promise<Answers> {
  const virtual = groupByLink(facts, questions.virtualAddresses, (address) =>
    interfaceFor(facts, address),
  );
  const servers = groupByLink(
    facts,
    questions.servers,
    ({ address }) => routeTo(facts, address)?.interface,
  );
  const links = new Map([...virtual.keys(), ...servers.keys()].map((link) => [link.name, link]));
  const parts = await Promise.all(
    [...links.values()].map((link) =>
      askLink(facts, link, {
        ...questions,
        virtualAddresses: virtual.get(link) ?? [],
        servers: servers.get(link) ?? [],
      }),
    ),
  );
  const asked = new Set(parts.flatMap((part) => part.servers.map(({ address }) => address)));
  return {
    arp: parts.flatMap((part) => part.arp),
    servers: [
      ...parts.flatMap((part) => part.servers),
      ...questions.servers
        .filter(({ address }) => !asked.has(address))
        .map(({ address }) => unasked(address)),
    ],
    notLookedAt: parts.flatMap((part) => part.notLookedAt),
  };
}

function groupByLink<T>(
  facts: NetworkFacts,
  entries: readonly T[],
  nameOf: (entry: T) => string | undefined,
): ReadonlyMap<LinkFact, readonly T[]> {
  const groups = new Map<LinkFact, T[]>();
  for (const entry of entries) {
    const link = linkOf(facts, nameOf(entry));
    // Only Ethernet has ARP; a link that is down has nobody to ask.
    if (link === undefined || !link.running || link.macAddress.length !== 17) continue;
    if (link.name === 'lo') continue;
    groups.set(link, [...(groups.get(link) ?? []), entry]);
  }
  return groups;
}

async function askLink(
  facts: NetworkFacts,
  link: LinkFact,
  questions: Questions,
): Promise<Answers> {
  let asker: LinkAsker | undefined;
  try {
    asker = new LinkAsker(link);
    return await askWith(asker, facts, link, questions);
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    return { arp: [], servers: [], notLookedAt: [`${link.name}: ${error.message}`] };
  } finally {
    asker?.close();
  }
}

async function askWith(
  asker: LinkAsker,
  facts: NetworkFacts,
  link: LinkFact,
  { virtualAddresses, servers, foreignSource }: Questions,
): Promise<Answers> {
  const sender = senderOn(facts, link, virtualAddresses);
  const asArp = (target: IpAddress) => ({ target, sender, isExpected: !isOwn(facts, target) });
  const ipv4 = virtualAddresses.filter((address) => familyOf(address) === 4);
  const targets = servers
    .map(({ address }) => hopTo(facts, address))
    .filter((one) => familyOf(one) === 4);
  const heard = await asker.askArp([...new Set([...ipv4, ...targets])].map(asArp));
  const own = new Set(facts.links.map(({ macAddress }) => macAddress));
  const others = (address: IpAddress): readonly string[] =>
    (heard.get(address) ?? []).filter((mac) => !own.has(mac));
  const drafts = servers
    .filter(({ address }) => familyOf(address) === 4)
    .map((question) => ({ question, mac: others(hopTo(facts, question.address))[0] }));
  return {
    arp: ipv4.map((address) => ({ address, interface: link.name, answers: others(address) })),
    servers: await pingServers(asker, facts, link, drafts, foreignSource),
    notLookedAt: [],
  };
}

/** Who takes packets for a server: itself, or the router before it. */
function hopTo(facts: NetworkFacts, address: IpAddress): IpAddress {
  return routeTo(facts, address)?.gateway ?? address;
}

/** An address of this machine in the network of the link that is not a virtual one. */
function senderOn(
  facts: NetworkFacts,
  link: LinkFact,
  virtualAddresses: readonly IpAddress[],
): IpAddress {
  const found = facts.addresses.find(
    ({ interface: name, prefix }) =>
      name === link.name &&
      familyOf(prefix.address) === 4 &&
      !virtualAddresses.includes(prefix.address),
  );
  return found?.prefix.address ?? anyAddress;
}

interface ServerDraft {
  readonly question: ServerQuestion;
  readonly mac: string | undefined;
}

type EchoKind = 'own' | 'foreign' | 'large' | `direct ${IpAddress}` | `tunnelled ${IpAddress}`;

async function pingServers(
  asker: LinkAsker,
  facts: NetworkFacts,
  link: LinkFact,
  drafts: readonly ServerDraft[],
  foreignSource: IpAddress,
): Promise<readonly ServerProbeFact[]> {
  const pings = drafts.flatMap((draft) => pingsOf(facts, link, draft, foreignSource));
  const outcomes = await asker.askEcho(pings.map(({ ping }) => ping));
  return drafts.map(({ question, mac }): ServerProbeFact => {
    const outcome = (kind: EchoKind): EchoOutcome => {
      const at = pings.findIndex((each) => each.server === question.address && each.kind === kind);
      return at < 0 ? undefined : outcomes[at];
    };
    const byAddress = (kind: 'direct' | 'tunnelled') =>
      Object.fromEntries(question[kind].map((address) => [address, outcome(`${kind} ${address}`)]));
    const onLink = isOnLink(facts, question.address);
    return {
      address: question.address,
      onLink,
      interface: link.name,
      ...(mac === undefined || !onLink ? {} : { macAddress: mac }),
      own: outcome('own'),
      foreign: outcome('foreign'),
      foreignSource,
      direct: byAddress('direct'),
      tunnelled: byAddress('tunnelled'),
      large:
        question.tunnelled.length === 0
          ? undefined
          : { bytes: link.mtu, outcome: outcome('large') },
    };
  });
}

function pingsOf(
  facts: NetworkFacts,
  link: LinkFact,
  { question, mac }: ServerDraft,
  foreignSource: IpAddress,
) {
  const { address: server, translated, direct, tunnelled } = question;
  const source = ownAddressTowards(facts, server);
  if (mac === undefined || source === undefined) return [];
  const to = Uint8Array.from(mac.split(':'), (text) => Number.parseInt(text, 16));
  const entry = (kind: EchoKind, ping: object) => ({
    server,
    kind,
    ping: { to, source, destination: server, ...ping },
  });
  return [
    entry('own', {}),
    ...(translated && !isOwn(facts, foreignSource)
      ? [entry('foreign', { source: foreignSource })]
      : []),
    ...direct.map((address) => entry(`direct ${address}`, { destination: address })),
    ...tunnelled.map((address) =>
      entry(`tunnelled ${address}`, {
        destination: address,
        tunnel: { source, destination: server },
      }),
    ),
    ...(tunnelled.length > 0 ? [entry('large', { bytes: link.mtu })] : []),
  ];
}

function unasked(address: IpAddress): ServerProbeFact {
  return {
    address,
    onLink: false,
    own: undefined,
    foreign: undefined,
    direct: {},
    tunnelled: {},
    large: undefined,
  };
}
