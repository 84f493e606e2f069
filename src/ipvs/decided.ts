/** What was decided on every configured server, and what was last wanted of each service. */
import type { ServiceConfig } from '../config/model.js';
import { formatServiceIdentity } from '../wire/ipvsText.js';
import type { DesiredTable, ServerId, WeightDecision } from './desired.js';
import { hasSameServers, type ServiceKey, type TableService } from './table.js';

/** The decisions of a reconciler. A verdict on one server touches those on its services alone. */
export class Decided {
  readonly #decisions = new Map<ServerId, WeightDecision>();
  readonly #sorry = new Set<string>();
  /** What the kernel was last made to have. */
  readonly #settled = new Map<ServiceKey, TableService>();

  /** For every configured server why it has its weight. */
  get decisions(): ReadonlyMap<ServerId, WeightDecision> {
    return this.#decisions;
  }

  /** Names of the services whose sorry server takes the traffic. */
  get sorry(): ReadonlySet<string> {
    return this.#sorry;
  }

  /** Takes in the decisions on some services; those on the others stay. */
  take(services: readonly ServiceConfig[], { decisions, sorry }: DesiredTable): void {
    for (const [id, decision] of decisions) this.#decisions.set(id, decision);
    for (const { name } of services) {
      if (sorry.has(name)) this.#sorry.add(name);
      else this.#sorry.delete(name);
    }
  }

  /** Takes in the decisions on all services there are; what else there was is forgotten. */
  replace({ decisions, sorry }: DesiredTable): void {
    this.#decisions.clear();
    for (const [id, decision] of decisions) this.#decisions.set(id, decision);
    this.#sorry.clear();
    for (const name of sorry) this.#sorry.add(name);
    this.#settled.clear();
  }

  /** Whether a service is to have other servers or weights than when it was last settled. */
  isNews(entry: TableService): boolean {
    const before = this.#settled.get(formatServiceIdentity(entry.service.identity));
    return before === undefined || !hasSameServers(before, entry);
  }

  /** The kernel was told of these. */
  settle(entries: readonly TableService[]): void {
    for (const entry of entries) {
      this.#settled.set(formatServiceIdentity(entry.service.identity), entry);
    }
  }
}
