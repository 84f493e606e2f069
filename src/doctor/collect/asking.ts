/** Asks the network about virtual addresses and real servers. */
import { isDeepStrictEqual } from 'node:util';
import { TandemError } from '../../errors.js';
import {
  familyOf,
  type IpAddress,
  type IpFamily,
  ipAddress,
  isLinkLocal,
} from '../../wire/ipAddress.js';
import type { TunnelEncapsulation } from '../../wire/ipvsModel.js';
import type { ArpFact, EchoOutcome, LinkFact, NetworkFacts, ServerProbeFact } from '../facts.js';
import { interfaceFor, isOnLink, isOwn, linkOf, ownAddressTowards, routeTo } from '../paths.js';
import { type EchoQuestion, LinkAsker } from './frames.js';

/** What is to be asked about one server. */
export interface ServerQuestion {
  readonly address: IpAddress;
  /** Whether answers have to come back through this machine. */
  readonly translated: boolean;
  /** Virtual addresses that it must take packets for, by the way they come. */
  readonly direct: readonly IpAddress[];
  readonly tunnelled: readonly TunnelQuestion[];
}

/** A virtual address and how packets for it are wrapped. */
export interface TunnelQuestion {
  readonly virtual: IpAddress;
  readonly encapsulation?: TunnelEncapsulation;
}

/** What is to be asked. */
export interface Questions {
  readonly virtualAddresses: readonly IpAddress[];
  readonly servers: readonly ServerQuestion[];
  /** Addresses that this machine does not have, which pings come from as if from a client. */
  readonly foreignSources: Readonly<Record<IpFamily, IpAddress>>;
}

/** What was heard. */
export interface Answers {
  readonly arp: readonly ArpFact[];
  readonly servers: readonly ServerProbeFact[];
  readonly notLookedAt: readonly string[];
}

/** Stand for a client where none is known: addresses of documentation (RFC 5737, RFC 3849). */
export const unknownClients: Readonly<Record<IpFamily, IpAddress>> = {
  4: ipAddress('192.0.2.1'),
  6: ipAddress('2001:db8::1'),
};

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
  { virtualAddresses, servers, foreignSources }: Questions,
): Promise<Answers> {
  // Who else has an address of the link alone is known on that link, not here.
  const virtual = virtualAddresses.filter((address) => !isLinkLocal(address));
  const targets = new Set([...virtual, ...servers.map(({ address }) => hopTo(facts, address))]);
  const heard = await asker.askHolders(
    [...targets].flatMap((target) => {
      const sender = senderOn(facts, link, familyOf(target), virtualAddresses);
      const isExpected = !isOwn(facts, target);
      return sender === undefined ? [] : [{ target, sender, isExpected }];
    }),
  );
  const own = new Set(facts.links.map(({ macAddress }) => macAddress));
  const others = (address: IpAddress): readonly string[] =>
    (heard.get(address) ?? []).filter((mac) => !own.has(mac));
  const drafts = servers.map((question) => ({
    question,
    mac: others(hopTo(facts, question.address))[0],
  }));
  return {
    arp: virtual
      .filter((address) => heard.has(address))
      .map((address) => ({ address, interface: link.name, answers: others(address) })),
    servers: await pingServers(asker, facts, link, drafts, foreignSources),
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
  family: IpFamily,
  virtualAddresses: readonly IpAddress[],
): IpAddress | undefined {
  const found = facts.addresses.find(
    ({ interface: name, prefix }) =>
      name === link.name &&
      familyOf(prefix.address) === family &&
      !virtualAddresses.includes(prefix.address),
  );
  // Only ARP has a way to ask for somebody without an address of one's own (RFC 5227).
  return found?.prefix.address ?? (family === 4 ? anyAddress : undefined);
}

interface ServerDraft {
  readonly question: ServerQuestion;
  readonly mac: string | undefined;
}

/** A ping and what it is for. */
interface PlannedPing {
  readonly server: IpAddress;
  readonly purpose:
    | { readonly kind: 'own' | 'foreign' | 'large' }
    | { readonly kind: 'direct'; readonly virtual: IpAddress }
    | ({ readonly kind: 'tunnelled' } & TunnelQuestion);
  readonly ping: EchoQuestion;
}

async function pingServers(
  asker: LinkAsker,
  facts: NetworkFacts,
  link: LinkFact,
  drafts: readonly ServerDraft[],
  foreignSources: Questions['foreignSources'],
): Promise<readonly ServerProbeFact[]> {
  const pings = drafts.flatMap((draft) => pingsOf(facts, link, draft, foreignSources));
  const outcomes = await asker.askEcho(pings.map(({ ping }) => ping));
  return drafts.map(({ question, mac }): ServerProbeFact => {
    const { address, direct, tunnelled } = question;
    const outcome = (purpose: PlannedPing['purpose']): EchoOutcome => {
      const at = pings.findIndex(
        (each) => each.server === address && isDeepStrictEqual(each.purpose, purpose),
      );
      return at < 0 ? undefined : outcomes[at];
    };
    const onLink = isOnLink(facts, address);
    return {
      address,
      onLink,
      interface: link.name,
      ...(mac === undefined || !onLink ? {} : { macAddress: mac }),
      own: outcome({ kind: 'own' }),
      foreign: outcome({ kind: 'foreign' }),
      foreignSource: foreignSources[familyOf(address)],
      direct: Object.fromEntries(
        direct.map((virtual) => [virtual, outcome({ kind: 'direct', virtual })]),
      ),
      tunnelled: tunnelled.map((question) => ({
        ...question,
        outcome: outcome({ kind: 'tunnelled', ...question }),
      })),
      large:
        tunnelled.length === 0
          ? undefined
          : { bytes: link.mtu, outcome: outcome({ kind: 'large' }) },
    };
  });
}

function pingsOf(
  facts: NetworkFacts,
  link: LinkFact,
  { question, mac }: ServerDraft,
  foreignSources: Questions['foreignSources'],
): readonly PlannedPing[] {
  const { address: server, translated, direct, tunnelled } = question;
  const source = ownAddressTowards(facts, server);
  if (mac === undefined || source === undefined) return [];
  const to = Uint8Array.from(mac.split(':'), (text) => Number.parseInt(text, 16));
  const foreignSource = foreignSources[familyOf(server)];
  const entry = (purpose: PlannedPing['purpose'], ping: Partial<EchoQuestion>): PlannedPing => ({
    server,
    purpose,
    ping: { to, source, destination: server, ...ping },
  });
  return [
    entry({ kind: 'own' }, {}),
    ...(translated && !isOwn(facts, foreignSource)
      ? [entry({ kind: 'foreign' }, { source: foreignSource })]
      : []),
    ...direct.map((virtual) => entry({ kind: 'direct', virtual }, { destination: virtual })),
    ...tunnelled.flatMap((question) => {
      const { virtual, encapsulation } = question;
      // The answer comes from the virtual address, to an address of its family.
      const inside = innerSource(facts, link, virtual, source);
      if (inside === undefined) return [];
      const tunnel = {
        source,
        destination: server,
        ...(encapsulation === undefined ? {} : { encapsulation }),
      };
      return [
        entry({ kind: 'tunnelled', ...question }, { source: inside, destination: virtual, tunnel }),
      ];
    }),
    ...(tunnelled.length > 0 ? [entry({ kind: 'large' }, { bytes: link.mtu })] : []),
  ];
}

/** Whom a ping inside of a tunnel comes from; `undefined` without an address of the family. */
function innerSource(
  facts: NetworkFacts,
  link: LinkFact,
  virtual: IpAddress,
  source: IpAddress,
): IpAddress | undefined {
  const family = familyOf(virtual);
  if (familyOf(source) === family) return source;
  return facts.addresses.find(
    ({ interface: name, prefix: { address } }) =>
      name === link.name && familyOf(address) === family && !isLinkLocal(address),
  )?.prefix.address;
}

function unasked(address: IpAddress): ServerProbeFact {
  return {
    address,
    onLink: false,
    own: undefined,
    foreign: undefined,
    direct: {},
    tunnelled: [],
    large: undefined,
  };
}
