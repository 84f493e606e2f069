/** Collects everything that is looked at on a director. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { NodeChoice } from '../../config/read.js';
import { TandemError } from '../../errors.js';
import type { ListedTableService } from '../../ipvs/table.js';
import { hasCapability } from '../../kernel/processCapabilities.js';
import { readSysctl } from '../../kernel/sysctl.js';
import { familyOf, type IpAddress, type IpFamily } from '../../wire/ipAddress.js';
import type { ListedServer } from '../../wire/ipvsModel.js';
import { markedAddresses } from '../director/services.js';
import type { DirectorFacts, NetworkFacts, TableFacts } from '../facts.js';
import { routeTo } from '../paths.js';
import {
  type Answers,
  askedServersMax,
  askNetwork,
  type Questions,
  type ServerQuestion,
  type TunnelQuestion,
  unknownClients,
} from './asking.js';
import { collectAgent, collectConfiguration } from './configuration.js';
import { tryConnects } from './connects.js';
import { collectMachine, collectNetwork, watchReversePathDrops } from './machine.js';
import { type FirstLook, firstLook, secondLook } from './table.js';

/** How to look. */
export interface DirectorOptions {
  readonly configPath: string;
  /** Whether a configuration that is not there is a finding. */
  readonly configRequired: boolean;
  readonly choice: NodeChoice;
  /** Absent: the one of the configuration. */
  readonly socket?: string;
  readonly defaultSocket: string;
  /** Whether servers and neighbours may be asked; otherwise only this machine is looked at. */
  readonly active: boolean;
  /** The shortest time between the two looks at the table; absent: time to ask again. */
  readonly windowMs?: number;
}

/** The time between the two looks at the table, in milliseconds. */
const windowMsMin = 1_500;

/** The same where connections wait: time enough for their clients to ask again. */
const windowWaitingMs = 3_500;

/** Looks at a director. Takes a few seconds; changes nothing. */
export async function collectDirector(options: DirectorOptions): Promise<DirectorFacts> {
  const startedMs = performance.now();
  const drops = watchReversePathDrops();
  const notLookedAt: string[] = [];
  const first = await firstLook(notLookedAt);
  const { configPath, configRequired, choice } = options;
  const { facts: configuration, config } = await collectConfiguration(
    configPath,
    configRequired,
    choice,
  );
  const socket = options.socket ?? config?.api.socket ?? options.defaultSocket;
  const agent = await collectAgent(socket);
  const network = collectNetwork();
  const services = 'services' in first ? first.services : [];
  const machineLook = collectMachine(network);
  // Which addresses a mark stands for is known from the rules.
  const marked = services.some(({ service }) => service.identity.kind === 'fwmark');
  const chains = marked ? (await machineLook).chains : [];
  const questions = questionsOf(services, { chains, configuration }, clientsOf(first, network));
  // Answers are awaited while the tools of the firewall run.
  const [machine, asked] = await Promise.all([
    machineLook,
    ask(network, services, questions, options.active),
  ]);
  if (questions.servers.length === askedServersMax) {
    notLookedAt.push(`servers beyond the first ${askedServersMax} were not asked`);
  }
  const waits = 'services' in first && first.connections.waiting.length > 0;
  const windowMs = options.windowMs ?? (waits ? windowWaitingMs : windowMsMin);
  const table = await lookAgain(first, startedMs + windowMs);
  return {
    ...machine,
    role: 'director',
    reversePathDrops: drops(),
    configuration,
    agent,
    table,
    arp: asked.answers.arp,
    servers: asked.answers.servers,
    connects: asked.connects,
    tracking: readTracking(),
    windowMs: Math.round(performance.now() - startedMs),
    notLookedAt: [...machine.notLookedAt, ...notLookedAt, ...asked.answers.notLookedAt],
  };
}

async function lookAgain(
  first: Awaited<ReturnType<typeof firstLook>>,
  dueMs: number,
): Promise<TableFacts> {
  if (!('services' in first)) return first;
  await sleep(Math.max(0, dueMs - performance.now()));
  try {
    return await secondLook(first);
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    return { kind: 'unreadable', reason: 'other', message: error.message };
  }
}

/**
 * A client that waits for an answer stands for all of them, unless it is beside its server, which
 * then reaches it by itself.
 */
function clientsOf(
  first: Awaited<ReturnType<typeof firstLook>>,
  network: NetworkFacts,
): Readonly<Record<IpFamily, IpAddress>> {
  const waiting = 'services' in first ? first.connections.waiting : [];
  const clientOf = (family: IpFamily): IpAddress =>
    waiting.find(
      ({ client, server }) =>
        familyOf(client) === family &&
        routeTo(network, client)?.interface !== routeTo(network, server)?.interface,
    )?.client ?? unknownClients[family];
  return { 4: clientOf(4), 6: clientOf(6) };
}

async function ask(
  network: NetworkFacts,
  services: FirstLook['services'],
  questions: Questions,
  active: boolean,
) {
  const nothing: Answers = { arp: [], servers: [], notLookedAt: [] };
  if (!active) {
    const notLookedAt = ['servers and neighbours were not asked (--passive)'];
    return { answers: { ...nothing, notLookedAt }, connects: [] };
  }
  const connects = tryConnects(connectTargets(services));
  if (!hasCapability('CAP_NET_RAW')) {
    const notLookedAt = ['servers and neighbours were not asked by frames: needs CAP_NET_RAW'];
    return { answers: { ...nothing, notLookedAt }, connects: await connects };
  }
  const answers = await askNetwork(network, questions);
  return { answers, connects: await connects };
}

/** What is asked about each server, once for all services that it is in. */
function questionsOf(
  services: readonly ListedTableService[],
  known: Pick<DirectorFacts, 'chains' | 'configuration'>,
  foreignSources: Questions['foreignSources'],
): Questions {
  const { chains, configuration } = known;
  const servers = new Map<IpAddress, ServerQuestion>();
  const virtualAddresses = new Set(
    configuration.kind === 'read' ? configuration.virtualAddresses : [],
  );
  for (const { service, servers: list } of services) {
    const { identity } = service;
    const virtual =
      identity.kind === 'address'
        ? [identity.address]
        : markedAddresses(identity, chains, configuration);
    for (const address of virtual) virtualAddresses.add(address);
    for (const server of list) {
      servers.set(server.address, withService(servers.get(server.address), server, virtual));
    }
  }
  return {
    virtualAddresses: [...virtualAddresses],
    servers: [...servers.values()].slice(0, askedServersMax),
    foreignSources,
  };
}

/** What is asked about a server, with what one more service makes of it. */
function withService(
  before: ServerQuestion | undefined,
  { address, forwarding, encapsulation }: ListedServer,
  virtual: readonly IpAddress[],
): ServerQuestion {
  const { translated = false, direct = [], tunnelled = [] } = before ?? {};
  const wrapped = virtual.map((each) => ({
    virtual: each,
    ...(encapsulation === undefined ? {} : { encapsulation }),
  }));
  const isNew = (question: TunnelQuestion): boolean =>
    !tunnelled.some((other) => isDeepStrictEqual(other, question));
  return {
    address,
    translated: translated || forwarding === 'nat',
    direct: forwarding === 'dr' ? [...new Set([...direct, ...virtual])] : direct,
    tunnelled: forwarding === 'tunnel' ? [...tunnelled, ...wrapped.filter(isNew)] : tunnelled,
  };
}

/** With NAT a server listens at its own address; otherwise it may do so at the virtual one only. */
function connectTargets(services: readonly ListedTableService[]) {
  const targets = new Map<string, { address: IpAddress; port: number }>();
  for (const { service, servers } of services) {
    const { identity } = service;
    if (identity.kind !== 'address' || identity.protocol !== 'tcp') continue;
    for (const { address, port, forwarding } of servers) {
      if (forwarding !== 'nat' || port === 0 || targets.size >= askedServersMax) continue;
      targets.set(`${address} ${port}`, { address, port });
    }
  }
  return [...targets.values()];
}

function readTracking(): DirectorFacts['tracking'] {
  try {
    return {
      count: Number(readSysctl('net.netfilter.nf_conntrack_count')),
      max: Number(readSysctl('net.netfilter.nf_conntrack_max')),
    };
  } catch {
    // Connection tracking is not loaded.
    return undefined;
  }
}
