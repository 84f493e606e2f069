/** Which services something new concerns, so that the kernel hears of them first. Pure. */
import type { ServiceConfig } from '../config/model.js';
import type { ServerHealth } from '../health/healthBoard.js';
import { formatServiceIdentity } from '../wire/ipvsText.js';
import { type ServerId, serviceNameOf } from './desired.js';
import type { ServerOverride } from './overrides.js';
import type { ServiceKey } from './table.js';

/** The kernel's services that a configuration makes. */
export function serviceKeys(services: readonly ServiceConfig[]): ReadonlySet<ServiceKey> {
  return new Set(services.flatMap((service) => service.listeners.map(formatServiceIdentity)));
}

/** Names of the services of both configurations that listen where they did and differ otherwise. */
export function changedInPlace(
  before: readonly ServiceConfig[],
  after: readonly ServiceConfig[],
): ReadonlySet<string> {
  const known = new Map(before.map((service) => [service.name, service]));
  const changed = after.filter((service) => {
    const old = known.get(service.name);
    if (old === undefined || old === service) return false;
    if (textOf(old.listeners) !== textOf(service.listeners)) return false;
    return textOf(old) !== textOf(service);
  });
  return new Set(changed.map(({ name }) => name));
}

/** Names of the services with a server for which operators have set something else than before. */
export function changedByOperators(
  before: ReadonlyMap<ServerId, ServerOverride>,
  after: ReadonlyMap<ServerId, ServerOverride>,
): ReadonlySet<string> {
  const ids = [...before.keys(), ...after.keys()].filter(
    (id) => textOf(before.get(id)) !== textOf(after.get(id)),
  );
  return new Set(ids.map(serviceNameOf));
}

/** Whether a verdict may give a server another weight than the one before it. */
export function weighsDifferently(before: ServerHealth | undefined, after: ServerHealth): boolean {
  return (
    before?.state !== after.state ||
    before.excused !== after.excused ||
    before.connectionsMax !== after.connectionsMax ||
    before.operation?.percent !== after.operation?.percent ||
    before.operation?.reason !== after.operation?.reason
  );
}

/** Values that the same code made have their keys in the same order. */
function textOf(value: unknown): string | undefined {
  return JSON.stringify(value);
}
