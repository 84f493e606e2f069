/**
 * The main thread's hold on the peer channel: starts its thread, hands it what this node has to
 * tell, compares what the peer tells with it, and says so once when something is wrong.
 *
 * Nothing here changes the election: what is seen over the channel is for the operator.
 */
import type { MessagePort } from 'node:worker_threads';
import type { PeerStatus } from '../api/statusModel.js';
import type { PeeringConfig, TandemConfig } from '../config/model.js';
import { ChannelReport } from '../peer/channelReport.js';
import { type PeerThread, startPeerThread } from '../peer/client.js';
import {
  configDrift,
  followSplitBrain,
  type Instant,
  noSplitBrain,
  type SplitBrain,
  splitBrainBoundMs,
  splitBrains,
} from '../peer/comparison.js';
import { readPeerKeys } from '../peer/key.js';
import type {
  FromPeer,
  PeerKey,
  PeerReport,
  PeerRouters,
  PeerSettings,
  PeerSharedConfig,
} from '../peer/protocol.js';
import { sharedConfig } from '../peer/sharedConfig.js';
import type { VirtualRouterReport } from '../vrrp/protocol.js';
import { formatIpPrefix } from '../wire/ipAddress.js';
import type { OverrideRecord } from '../wire/overrideModel.js';
import { peerProtocolVersion } from '../wire/peerMessage.js';
import type { AgentLogger } from './logger.js';
import { nextRestart, noRestarts } from './restartDelay.js';

/** What the status says where there is no channel. */
const missingWithoutPeering =
  'plain VRRP: a split brain and different configurations stay unseen; configure `peering`';

/** Who this agent is, for the peer. */
export interface PeeringIdentity {
  readonly version: string;
  readonly startedUnixMs: number;
}

/** What a configuration makes of the channel: everything, or nothing at all. */
interface Wanted {
  readonly settings: PeerSettings;
  readonly own: PeerSharedConfig;
  readonly splitBrainBoundMs: number;
}

/** The keys of a configuration; none without peering. Throws `PEER_KEY_UNUSABLE`. */
export function configuredPeerKeys(config: TandemConfig): readonly PeerKey[] {
  return config.peering === undefined ? [] : readPeerKeys(config.peering.keyFile);
}

/** The channel to the other director, and what is known of that one. */
export class Peering {
  readonly #logger: AgentLogger;
  readonly #identity: PeeringIdentity;
  readonly #onOverrides: (records: readonly OverrideRecord[]) => void;
  readonly #onThread: () => void;
  #overrides: readonly OverrideRecord[] = [];
  #wanted: Wanted | undefined;
  #thread: PeerThread | undefined;
  #report: PeerReport = new ChannelReport().make(undefined);
  #routers: PeerRouters = [];
  #peerConfig: PeerSharedConfig | null = null;
  #drift: readonly string[] = [];
  #loggedDrift = '';
  #suspicions = noSplitBrain;
  #splitBrain: readonly SplitBrain[] = [];
  #history = noRestarts;
  #startedAtMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(
    logger: AgentLogger,
    identity: PeeringIdentity,
    onOverrides: (records: readonly OverrideRecord[]) => void,
    /** A thread was started; the sync thread needs a new way to it. */
    onThread: () => void = () => undefined,
  ) {
    this.#logger = logger.child({ thread: 'peer' });
    this.#identity = identity;
    this.#onOverrides = onOverrides;
    this.#onThread = onThread;
  }

  /** What the status says of the thread; `undefined` without peering. */
  get thread(): { readonly restarts: number; readonly running: boolean } | undefined {
    if (this.#wanted === undefined) return undefined;
    return { restarts: this.#history.restarts, running: this.#thread !== undefined };
  }

  /** Takes a configuration and its keys; without peering the thread is ended. */
  async configure(config: TandemConfig, keys: readonly PeerKey[]): Promise<void> {
    if (config.peering === undefined) {
      await this.stop();
      return;
    }
    this.#wanted = {
      settings: this.#settings(config, config.peering, keys),
      own: sharedConfig(config.virtualRouters),
      splitBrainBoundMs: splitBrainBoundMs(
        config.virtualRouters.map((router) => router.advertIntervalCs),
      ),
    };
    clearTimeout(this.#restartTimer);
    this.#tellThread(this.#wanted);
    this.#compareConfigs();
  }

  /** Takes what the election reports of this node. */
  follow(reports: readonly VirtualRouterReport[]): void {
    if (this.#wanted === undefined) return;
    this.#routers = reports.map(peerRouterState);
    this.#thread?.post({ type: 'routers', routers: this.#routers });
    this.#judgeSplitBrain();
  }

  /** Takes all overrides that are known here, for the peer. */
  tellOverrides(records: readonly OverrideRecord[]): void {
    this.#overrides = records;
    this.#thread?.post({ type: 'overrides', records });
  }

  /** Hands the end of the sync thread's port to the thread; without one the port is closed. */
  attachData(port: MessagePort): void {
    if (this.#thread === undefined) port.close();
    else this.#thread.post({ type: 'dataPort', port }, [port]);
  }

  /** What the status document says. */
  snapshot(): PeerStatus {
    if (this.#wanted === undefined) return { configured: false, missing: missingWithoutPeering };
    return {
      configured: true,
      name: this.#wanted.settings.peer,
      ...this.#report,
      drift: this.#drift,
      splitBrain: this.#splitBrain,
    };
  }

  /** Ends the thread; the peer hears that the connection is closed. */
  async stop(): Promise<void> {
    const thread = this.#thread;
    this.#wanted = undefined;
    this.#thread = undefined;
    clearTimeout(this.#restartTimer);
    this.#forgetPeer();
    await thread?.stop();
  }

  #settings(
    config: TandemConfig,
    { peer, port, paths }: PeeringConfig,
    keys: readonly PeerKey[],
  ): PeerSettings {
    return {
      protocolVersion: peerProtocolVersion,
      cluster: config.cluster,
      node: config.node.name,
      agentVersion: this.#identity.version,
      startedUnixMs: this.#identity.startedUnixMs,
      peer,
      port,
      paths,
      keys,
    };
  }

  #tellThread(wanted: Wanted): void {
    const isNew = this.#thread === undefined;
    const thread = this.#thread ?? this.#startThread();
    thread.post({ type: 'configure', settings: wanted.settings });
    thread.post({ type: 'sharedConfig', config: wanted.own });
    thread.post({ type: 'routers', routers: this.#routers });
    thread.post({ type: 'overrides', records: this.#overrides });
    if (isNew) this.#onThread();
  }

  #startThread(): PeerThread {
    const thread = startPeerThread({
      onMessage: (message) => {
        if (this.#thread === thread) this.#take(message);
      },
    });
    this.#thread = thread;
    this.#startedAtMs = Date.now();
    void thread.exited.then((exit) => {
      if (this.#thread === thread) this.#lost(exit.code);
    });
    return thread;
  }

  #take(message: FromPeer): void {
    switch (message.type) {
      case 'report':
        this.#report = message.report;
        this.#judgeSplitBrain();
        break;
      case 'peerOverrides':
        this.#onOverrides(message.records);
        break;
      case 'peerConfig':
        this.#peerConfig = message.config;
        this.#compareConfigs();
        break;
      case 'log':
        this.#logger[message.level](message.fields, message.message);
        break;
      case 'stopped':
        break;
    }
  }

  #compareConfigs(): void {
    const own = this.#wanted?.own;
    if (own === undefined) return;
    this.#drift = this.#peerConfig === null ? [] : configDrift(own, this.#peerConfig);
    // While nothing is known of the peer's configuration, what was said of it stands.
    if (this.#peerConfig === null) return;
    const text = this.#drift.join('; ');
    if (text === this.#loggedDrift) return;
    this.#loggedDrift = text;
    const peer = this.#wanted?.settings.peer;
    if (text === '') this.#logger.info(`the configuration of ${peer} agrees with ours again`);
    else this.#logger.warn({ drift: this.#drift }, `the configuration of ${peer} differs: ${text}`);
  }

  #judgeSplitBrain(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    const { connected, routers, stateAgeMs } = this.#report;
    const peer = connected && routers !== null ? { routers, stateAgeMs: stateAgeMs ?? 0 } : null;
    const now: Instant = { monotonicMs: performance.now(), unixMs: Date.now() };
    this.#suspicions = followSplitBrain(this.#suspicions, this.#routers, peer, now);
    const before = this.#splitBrain;
    this.#splitBrain = splitBrains(this.#suspicions, wanted.splitBrainBoundMs, now);
    const isIn = (list: readonly SplitBrain[], router: string): boolean =>
      list.some((entry) => entry.router === router);
    for (const { router, vrid, reason, sinceUnixMs } of this.#splitBrain) {
      if (isIn(before, router)) continue;
      this.#logger.error(
        { router, vrid, reason, since: new Date(sinceUnixMs).toISOString() },
        `split brain: ${wanted.settings.peer} and this node are both Active for ${router}; ` +
          'they do not hear the advertisements of each other',
      );
    }
    for (const { router } of before) {
      if (isIn(this.#splitBrain, router)) continue;
      const end = peer === null ? 'cannot be seen any more: no connection' : 'is over';
      this.#logger.info({ router }, `the split brain of ${router} ${end}`);
    }
  }

  #forgetPeer(): void {
    this.#report = new ChannelReport().make(undefined);
    this.#peerConfig = null;
    this.#drift = [];
    this.#suspicions = noSplitBrain;
    this.#splitBrain = [];
  }

  #lost(code: number): void {
    this.#thread = undefined;
    this.#forgetPeer();
    const { history, delayMs } = nextRestart(this.#history, Date.now() - this.#startedAtMs);
    this.#history = history;
    this.#logger.error({ code, delayMs }, 'the thread of the peer channel ended');
    this.#restartTimer = setTimeout(() => {
      if (this.#wanted !== undefined) this.#tellThread(this.#wanted);
    }, delayMs);
  }
}

function peerRouterState(report: VirtualRouterReport): PeerRouters[number] {
  return {
    name: report.name,
    vrid: report.vrid,
    state: report.state,
    effectivePriority: report.priority.effective,
    addresses: report.addresses.map(({ prefix }) => formatIpPrefix(prefix)),
    sinceUnixMs: Math.max(0, Math.round(report.sinceUnixMs)),
    reason: report.reason,
  };
}
