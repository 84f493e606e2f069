/** The routes and rules that move with a virtual router, as one value. Pure. */
import type { VirtualRoute, VirtualRouterSpec, VirtualRule } from './protocol.js';
import { isSameValue } from './reconfiguration.js';

/** Routes and rules that come and go together. */
export interface VirtualRouting {
  readonly routes: readonly VirtualRoute[];
  readonly rules: readonly VirtualRule[];
}

/** Neither routes nor rules. */
export const noRouting: VirtualRouting = { routes: [], rules: [] };

/** What a router's settings name. */
export function routingOf(spec: VirtualRouterSpec): VirtualRouting {
  const { routes = [], rules = [] } = spec;
  return { routes, rules };
}

/** Whether there is nothing to move. */
export function isEmptyRouting({ routes, rules }: VirtualRouting): boolean {
  return routes.length === 0 && rules.length === 0;
}

/** What one has and the other has not, or has otherwise. */
export function routingWithout(routing: VirtualRouting, other: VirtualRouting): VirtualRouting {
  return {
    routes: routing.routes.filter((route) => !other.routes.some((one) => isSameValue(route, one))),
    rules: routing.rules.filter((rule) => !other.rules.some((one) => isSameValue(rule, one))),
  };
}
