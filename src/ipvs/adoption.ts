/** Remembers the weights that services had in the kernel when they became ours. */
import type { ServiceConfig } from '../config/model.js';
import { formatServerIdentity, formatServiceIdentity } from '../wire/ipvsText.js';
import { listenerServerIdentity, type ServerId, serverId } from './desired.js';
import { indexTable, type ListedTableService, type ServiceKey } from './table.js';

/**
 * A restarted agent does not know which servers are up. Until it does, the weights that its
 * predecessor left are the best that is known, so that a restart moves no traffic.
 */
export class Adoption {
  readonly #weights = new Map<ServerId, number>();
  readonly #services = new Set<ServiceKey>();

  /** The same memory, to try out what a reload would do. */
  copy(): Adoption {
    const copy = new Adoption();
    for (const [id, weight] of this.#weights) copy.#weights.set(id, weight);
    for (const key of this.#services) copy.#services.add(key);
    return copy;
  }

  /** The remembered weights. */
  get weights(): ReadonlyMap<ServerId, number> {
    return this.#weights;
  }

  /** Looks at the services that were not ours at the last look, and only at those. */
  learn(services: readonly ServiceConfig[], actual: readonly ListedTableService[]): void {
    const index = indexTable(actual);
    for (const config of services) {
      for (const listener of config.listeners) {
        const key = formatServiceIdentity(listener);
        if (this.#services.has(key)) continue;
        this.#services.add(key);
        const found = index.get(key);
        if (found === undefined) continue;
        for (const server of config.servers) {
          const id = serverId(config.name, server);
          const serverKey = formatServerIdentity(listenerServerIdentity(listener, server));
          const weight = found.servers.get(serverKey)?.weight;
          if (weight !== undefined && !this.#weights.has(id)) this.#weights.set(id, weight);
        }
      }
    }
  }

  /** Forgets what is configured no longer. */
  retain(services: readonly ServiceConfig[]): void {
    const keys = new Set(services.flatMap((each) => each.listeners.map(formatServiceIdentity)));
    for (const key of this.#services) if (!keys.has(key)) this.#services.delete(key);
    if (this.#weights.size === 0) return;
    const ids = new Set(
      services.flatMap((each) => each.servers.map((server) => serverId(each.name, server))),
    );
    for (const id of this.#weights.keys()) if (!ids.has(id)) this.#weights.delete(id);
  }
}
