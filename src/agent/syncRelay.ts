/**
 * The main thread's hold on the sync thread: starts it, joins it with the thread of the peer
 * channel, tells it the services, and keeps what it reports.
 */
import { isDeepStrictEqual } from 'node:util';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { RelaySyncConfig, ServiceConfig } from '../config/model.js';
import { type SyncThread, startSyncThread } from '../sync/client.js';
import type { SeedService } from '../sync/procConnections.js';
import type { FromSync, RelayReport, RelaySettings } from '../sync/protocol.js';
import type { AgentLogger } from './logger.js';
import { nextRestart, noRestarts } from './restartDelay.js';

/** What is needed around it. */
export interface SyncRelayOptions {
  readonly logger: AgentLogger;
  /** Takes the other end of the sync thread's port. */
  readonly attach: (port: MessagePort) => void;
  readonly onReport: () => void;
}

/** The relay of this node. */
export class SyncRelay {
  readonly #options: SyncRelayOptions;
  #settings: RelaySettings | undefined;
  #services: readonly SeedService[] = [];
  #thread: SyncThread | undefined;
  #report: RelayReport | undefined;
  #history = noRestarts;
  #startedAtMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(options: SyncRelayOptions) {
    this.#options = options;
  }

  /** What it reported last. */
  get report(): RelayReport | undefined {
    return this.#report;
  }

  /** What the status says of the thread. */
  get thread(): { readonly restarts: number; readonly running: boolean } {
    return { restarts: this.#history.restarts, running: this.#thread !== undefined };
  }

  /** Takes a configuration; the daemons of the kernel run already. */
  async configure(config: RelaySyncConfig, services: readonly ServiceConfig[]): Promise<void> {
    const settings = relaySettings(config);
    this.#services = seedServices(services);
    if (!isDeepStrictEqual(settings, this.#settings)) {
      await this.stop();
      this.#settings = settings;
      this.#start(settings);
      return;
    }
    this.#thread?.post({ type: 'services', services: this.#services });
  }

  /** Joins the sync thread with the thread of the peer channel; either may be new. */
  connect(): void {
    if (this.#thread === undefined) return;
    const { port1, port2 } = new MessageChannel();
    this.#thread.post({ type: 'channel', port: port1 }, [port1]);
    this.#options.attach(port2);
  }

  /** Both directors send all that they know. */
  resync(): void {
    this.#thread?.post({ type: 'resync' });
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    this.#settings = undefined;
    this.#report = undefined;
    clearTimeout(this.#restartTimer);
    await thread?.stop();
  }

  #start(settings: RelaySettings): void {
    const thread = startSyncThread((message) => {
      if (this.#thread === thread) this.#take(message);
    });
    this.#thread = thread;
    this.#startedAtMs = Date.now();
    thread.post({ type: 'configure', settings });
    thread.post({ type: 'services', services: this.#services });
    thread.post({ type: 'start' });
    void thread.exited.then(({ code }) => {
      if (this.#thread === thread) this.#lost(code);
    });
    this.connect();
  }

  #take(message: FromSync): void {
    switch (message.type) {
      case 'report':
        this.#report = message.report;
        this.#options.onReport();
        break;
      case 'log':
        this.#options.logger[message.level](message.fields, message.message);
        break;
      case 'stopped':
        break;
    }
  }

  #lost(code: number): void {
    this.#thread = undefined;
    this.#report = undefined;
    const { history, delayMs } = nextRestart(this.#history, Date.now() - this.#startedAtMs);
    this.#history = history;
    this.#options.logger.error({ code, delayMs }, 'the sync thread ended');
    this.#restartTimer = setTimeout(() => {
      if (this.#settings !== undefined) this.#start(this.#settings);
    }, delayMs);
  }
}

function relaySettings(config: RelaySyncConfig): RelaySettings {
  const { syncId, group, port, portCount, entriesMax } = config;
  return {
    syncId,
    group,
    masterPort: port,
    backupPort: port + portCount,
    portCount,
    entriesMax,
  };
}

/** Every listener with the servers behind it. */
function seedServices(services: readonly ServiceConfig[]): readonly SeedService[] {
  return services.flatMap(({ listeners, servers, sorryServer }) =>
    listeners.map((identity) => ({
      identity,
      servers: [...servers, ...(sorryServer === undefined ? [] : [sorryServer])].map(
        ({ address, port, forwarding }) => ({ address, port, forwarding }),
      ),
    })),
  );
}
