/** The checks of a service, however they are written. Pure. */
import type { CheckConfig, ServiceConfig } from './model.js';

/** All checks of the servers of a service; none when they are always held to be up. */
export function checksOf(service: Pick<ServiceConfig, 'check' | 'checks'>): readonly CheckConfig[] {
  return service.checks ?? (service.check === undefined ? [] : [service.check]);
}
