/** Hears that somebody changed the routes or rules of a machine on which ours shall be. */
import {
  openRouteTableMonitor,
  type RouteTableEvent,
  type RouteTableMonitor,
} from '../kernel/routeTable.js';
import { openRuleMonitor, type RuleMonitor } from '../kernel/ruleMonitor.js';
import type { VirtualRoute, VirtualRouterSpec } from './protocol.js';

/** Open only while there are virtual routes or rules: machines may have a million of others. */
export class RoutingWatch {
  #routes: readonly VirtualRoute[] = [];
  #routeMonitor: RouteTableMonitor | undefined;
  #ruleMonitor: RuleMonitor | undefined;

  /** Descriptors to wait for. */
  get fds(): readonly number[] {
    const fds = [this.#routeMonitor?.fd, this.#ruleMonitor?.fd];
    return fds.filter((fd) => fd !== undefined);
  }

  /** Takes over what is to be watched. Throws `SYSTEM_CALL` when a socket cannot be had. */
  configure(routers: readonly VirtualRouterSpec[]): void {
    this.#routes = routers.flatMap(({ routes = [] }) => routes);
    const hasRules = routers.some(({ rules = [] }) => rules.length > 0);
    if (this.#routes.length > 0) this.#routeMonitor ??= openRouteTableMonitor();
    else this.#closeRoutes();
    if (hasRules) this.#ruleMonitor ??= openRuleMonitor();
    else this.#closeRules();
  }

  /** Whether one of ours may have been changed since the last call; never waits. */
  take(): boolean {
    const rulesChanged = this.#ruleMonitor?.read() ?? false;
    const events = this.#routeMonitor?.read() ?? [];
    return rulesChanged || events.some((event) => this.#concerns(event));
  }

  close(): void {
    this.#closeRoutes();
    this.#closeRules();
  }

  #concerns(event: RouteTableEvent): boolean {
    if (typeof event === 'symbol') return true;
    const { address, length } = event.destination;
    return this.#routes.some(({ to, table }) => {
      if (table !== event.table) return false;
      return to.length === length && to.address === address;
    });
  }

  #closeRoutes(): void {
    this.#routeMonitor?.close();
    this.#routeMonitor = undefined;
  }

  #closeRules(): void {
    this.#ruleMonitor?.close();
    this.#ruleMonitor = undefined;
  }
}
