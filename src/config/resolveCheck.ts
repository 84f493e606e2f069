/** From a `check` without errors to the probe and its timing. */
import type { CheckConfig } from './model.js';
import { resolveProbe } from './resolveProbe.js';
import type { RootComplete } from './schema/rootDefinition.js';

/** A `check` as the schema reads it. */
export type CheckComplete = NonNullable<RootComplete['services'][number]['check']>;

/** The check of a service. */
export function resolveCheck(check: CheckComplete): CheckConfig {
  return {
    probe: resolveProbe(check),
    timing: {
      intervalMs: check.interval,
      timeoutMs: check.timeout,
      ...(check.intervalWhenChanging === undefined
        ? {}
        : { changingIntervalMs: check.intervalWhenChanging }),
      ...(check.intervalWhenDown === undefined ? {} : { downIntervalMs: check.intervalWhenDown }),
      ...(check.jitter === 0 ? {} : { jitterPercent: check.jitter }),
      rise: check.rise,
      fall: check.fall,
    },
    ...(check.port === undefined ? {} : { port: check.port }),
    ...('address' in check && check.address !== undefined ? { address: check.address } : {}),
  };
}
