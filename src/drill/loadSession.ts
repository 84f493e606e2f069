/** The load of a lab while it runs: the lab's side of the client thread. */
import { TandemError } from '../errors.js';
import type { DrillLimits } from './drillLimits.js';
import type { Lab } from './lab.js';
import { namespaceName } from './labNetwork.js';
import { LabThread } from './labThread.js';
import type {
  LoadProgress,
  LoadReply,
  LoadRequest,
  LoadResult,
  LoadSettings,
  RequestRecord,
} from './loadProtocol.js';
import type { ScenarioLoad } from './scenario.js';
import { serviceOfKind, type Topology } from './topology.js';

/** The load of one run. */
export class LoadSession {
  readonly settings: LoadSettings;
  readonly #client: LabThread<LoadSettings, LoadRequest, LoadReply>;
  #progress: LoadProgress | undefined;

  /** Starts the thread; nothing is sent before {@link start}. */
  constructor(lab: Lab, load: ScenarioLoad, limits: DrillLimits) {
    this.settings = loadSettings(lab.topology, load, limits);
    const namespace = namespaceName(lab.id, 'client');
    this.#client = new LabThread('drill/clientThread', 'client', namespace, this.settings);
  }

  /** Takes turns of the scheduler while nothing else is sent. */
  async takeTurns(count: number): Promise<readonly RequestRecord[]> {
    const reply = await this.#client.call({ type: 'take-turns', count });
    if (reply.type !== 'turns') throw new TandemError('INTERNAL', `client said ${reply.type}`);
    return reply.turns;
  }

  /** Begins to send. */
  async start(): Promise<void> {
    await this.#client.call({ type: 'start' });
  }

  /** The counts of this moment. */
  async progress(): Promise<LoadProgress> {
    const reply = await this.#client.call({ type: 'progress' });
    if (reply.type !== 'progress') throw new TandemError('INTERNAL', `client said ${reply.type}`);
    this.#progress = reply.progress;
    return reply.progress;
  }

  /** Sends no more, and gives all measurements. */
  async finish(): Promise<LoadResult> {
    const reply = await this.#client.call({ type: 'finish' });
    if (reply.type !== 'finished') throw new TandemError('INTERNAL', `client said ${reply.type}`);
    return reply.result;
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    await this.#client.stop();
  }

  /** The counts that were asked for last, for a progress line. */
  get summary(): string {
    const last = this.#progress;
    if (last === undefined) return 'no requests yet';
    const { sent, failed, downloadsFlowing } = last;
    return `${sent} requests, ${failed} failed, ${downloadsFlowing} downloads flowing`;
  }
}

function loadSettings(topology: Topology, load: ScenarioLoad, limits: DrillLimits): LoadSettings {
  const { listeners } = serviceOfKind(topology, false);
  return {
    timeoutMs: limits.requestTimeoutMs,
    prober: {
      listeners,
      intervalMs: limits.probeIntervalMs,
      inFlightMax: limits.requestsInFlightMax,
      sourceAddresses: topology.clients.probers,
    },
    persistent: {
      listeners: serviceOfKind(topology, true).listeners,
      intervalMs: limits.persistentIntervalMs,
      clientAddresses: topology.clients.persistent.slice(0, load.persistentClients),
    },
    downloads: { listener: listeners[0], count: load.downloads },
  };
}
