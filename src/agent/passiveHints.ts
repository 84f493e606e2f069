/**
 * Reads the kernel's counters from time to time for the services that want it, and has the servers
 * that look dead checked at once.
 */
import type { ServiceConfig } from '../config/model.js';
import { listenerServerIdentity, type ServerId, serverId } from '../ipvs/desired.js';
import { countServer, type ServerCounters, suspects } from '../ipvs/passiveHints.js';
import type { IpvsTable } from '../kernel/ipvsTable.js';
import { formatServerIdentity } from '../wire/ipvsText.js';
import type { AgentLogger } from './logger.js';

/** What hints need from around them. */
export interface PassiveHintsOptions {
  /** The kernel's table, while it is open. */
  readonly table: () => Pick<IpvsTable, 'servers'> | undefined;
  /** Has the checks of these servers made at once. */
  readonly onSuspects: (servers: readonly ServerId[]) => void;
}

interface Watch {
  readonly timer: NodeJS.Timeout;
  before: ReadonlyMap<ServerId, ServerCounters>;
  reading: boolean;
}

/** The hints of this node. */
export class PassiveHints {
  readonly #logger: AgentLogger;
  readonly #options: PassiveHintsOptions;
  readonly #watches = new Map<string, Watch>();
  #given = 0;

  constructor(logger: AgentLogger, options: PassiveHintsOptions) {
    this.#logger = logger.child({ part: 'hints' });
    this.#options = options;
  }

  /** How many hints were given since the agent started. */
  get given(): number {
    return this.#given;
  }

  /** Takes over the services of a configuration. */
  configure(services: readonly ServiceConfig[]): void {
    this.stop();
    for (const service of services) {
      const rules = service.health?.passiveHints;
      if (rules === undefined) continue;
      const watch: Watch = {
        timer: setInterval(() => void this.#look(service, watch), rules.intervalMs).unref(),
        before: new Map(),
        reading: false,
      };
      this.#watches.set(service.name, watch);
    }
  }

  /** Ends the readings. */
  stop(): void {
    for (const { timer } of this.#watches.values()) clearInterval(timer);
    this.#watches.clear();
  }

  async #look(service: ServiceConfig, watch: Watch): Promise<void> {
    const rules = service.health?.passiveHints;
    const table = this.#options.table();
    // A kernel that is slow to answer is not asked again before it has.
    if (rules === undefined || table === undefined || watch.reading) return;
    watch.reading = true;
    try {
      const after = await readCounters(service, table);
      const found = suspects(watch.before, after, rules);
      watch.before = after;
      // It may have been configured otherwise while the kernel was asked.
      if (found.length === 0 || this.#watches.get(service.name) !== watch) return;
      this.#given += found.length;
      this.#logger.debug({ servers: found }, 'connections without an answer: checked at once');
      this.#options.onSuspects(found);
    } catch (error) {
      this.#logger.debug({ err: error }, `the counters of ${service.name} cannot be read`);
    } finally {
      watch.reading = false;
    }
  }
}

async function readCounters(
  service: ServiceConfig,
  table: Pick<IpvsTable, 'servers'>,
): Promise<ReadonlyMap<ServerId, ServerCounters>> {
  const listed = await Promise.all(
    service.listeners.map(async (listener) => {
      const servers = await table.servers(listener);
      const byKey = new Map(servers.map((server) => [formatServerIdentity(server), server]));
      return { listener, byKey };
    }),
  );
  return new Map(
    service.servers.map((server) => {
      const entries = listed.flatMap(({ listener, byKey }) => {
        const key = formatServerIdentity(listenerServerIdentity(listener, server));
        const found = byKey.get(key);
        const isTcp = listener.kind === 'address' && listener.protocol === 'tcp';
        return found === undefined ? [] : [{ isTcp, server: found }];
      });
      return [serverId(service.name, server), countServer(entries)];
    }),
  );
}
