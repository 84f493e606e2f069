/** What a drill is, as data: the load, the fault, and what must hold. */
import type { ServerBehaviour } from './realServerProtocol.js';
import type { TopologyName } from './topology.js';

/** One thing that is broken on purpose. The Active is the one that is Active at that moment. */
export type FaultAction =
  /**
   * What others see of a machine that loses its power: it falls silent in one moment. Its agent is
   * frozen first, for it would tell that its first cable is gone through those that are left; then
   * every cable is pulled; and then it is killed, so that its guard speaks to nobody.
   */
  | { readonly kind: 'power-off' }
  /** SIGTERM, and wait until it has ended. */
  | { readonly kind: 'stop-agent' }
  | { readonly kind: 'server'; readonly server: string; readonly behaviour: ServerBehaviour };

/** How much the clients do. */
export interface ScenarioLoad {
  readonly persistentClients: number;
  readonly downloads: number;
}

/** What a scenario can promise; each is measured and compared with a bound. */
export type PromiseName =
  /** Without other load, answers come in exactly the turns that the weights give. */
  | 'turns-follow-weights'
  /** With direct routing and tunnels, servers answer clients themselves. */
  | 'servers-answer-clients'
  /** Before the fault, answers are shared as the weights say. */
  | 'share-follows-weights'
  /** Before the fault, each persistent client has one server, at all listeners of the service. */
  | 'persistent-clients-stick'
  /** Before the fault, the standby knows every persistent client and every download. */
  | 'standby-in-sync'
  /** Afterwards every virtual address is on exactly one director, the same for all. */
  | 'one-holder'
  /** The longest time without an answer. */
  | 'client-gap'
  /** The new Active announces the clients' virtual address together with its first advert. */
  | 'announced'
  /** Requests fail only while the takeover lasts. */
  | 'failures-inside-gap'
  /** A failed server gets weight 0 in time. */
  | 'weight-zero'
  /** Requests fail only until the failed server has weight 0. */
  | 'failures-end-with-weight-zero'
  /** At the end all servers have their configured weight, in the kernel. */
  | 'all-servers-back'
  /** At the end every server has answered again. */
  | 'all-servers-answer'
  /** Persistent clients that the fault does not deprive of their server keep it. */
  | 'persistent-clients-stay'
  /** Persistent clients of a server with weight 0 are served by another. */
  | 'persistent-clients-rescued'
  /** Downloads that the fault does not deprive of their server go on. */
  | 'downloads-survive';

/** A drill. */
export interface Scenario {
  readonly name: string;
  /** One line, for lists and headings. */
  readonly title: string;
  readonly load: ScenarioLoad;
  readonly fault: readonly FaultAction[];
  /** What the fault does to the pair; the gap's bound follows from it. */
  readonly effect: 'active-lost' | 'active-resigned' | 'server-lost';
  readonly promises: readonly PromiseName[];
}

const load: ScenarioLoad = { persistentClients: 6, downloads: 6 };

/** Promises of every drill in which the other director takes over. */
const takeoverPromises: readonly PromiseName[] = [
  'turns-follow-weights',
  'servers-answer-clients',
  'share-follows-weights',
  'persistent-clients-stick',
  'standby-in-sync',
  'one-holder',
  'client-gap',
  'announced',
  'failures-inside-gap',
  'all-servers-back',
  'all-servers-answer',
  'persistent-clients-stay',
  'downloads-survive',
];

/** Promises of every drill in which a server fails and comes back. */
const serverPromises: readonly PromiseName[] = [
  'turns-follow-weights',
  'servers-answer-clients',
  'share-follows-weights',
  'persistent-clients-stick',
  'one-holder',
  'client-gap',
  'weight-zero',
  'failures-end-with-weight-zero',
  'all-servers-back',
  'all-servers-answer',
  'persistent-clients-stay',
  'persistent-clients-rescued',
  'downloads-survive',
];

/** Every scenario, in the order in which `all` runs them. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'director-crash',
    title: 'the Active loses its power: it falls silent in one moment',
    load,
    fault: [{ kind: 'power-off' }],
    effect: 'active-lost',
    promises: takeoverPromises,
  },
  {
    name: 'director-stop',
    title: 'the Active is stopped politely',
    load,
    fault: [{ kind: 'stop-agent' }],
    effect: 'active-resigned',
    promises: takeoverPromises,
  },
  {
    name: 'server-down',
    title: 'a real server dies: connections are refused, then it comes back',
    load,
    fault: [{ kind: 'server', server: 'rs1', behaviour: 'killed' }],
    effect: 'server-lost',
    promises: serverPromises,
  },
  {
    name: 'server-error',
    title: 'a real server answers 500 to everything, then it recovers',
    load,
    fault: [{ kind: 'server', server: 'rs1', behaviour: 'error' }],
    effect: 'server-lost',
    promises: serverPromises,
  },
];

/** A scenario in a topology. */
export interface PlannedDrill {
  readonly scenario: Scenario;
  readonly topology: TopologyName;
}

/** How a planned drill is written: `SCENARIO@TOPOLOGY`. */
export function drillName({ scenario, topology }: PlannedDrill): string {
  return `${scenario.name}@${topology}`;
}

/** The scenario that runs when none is named. */
export const defaultScenarioName = 'director-crash';
