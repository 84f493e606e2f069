/** From the keys of health checks without errors to the rules that the program goes by. */
import type { HealthConfig, ServiceConfig } from './model.js';
import { resolveCheck } from './resolveCheck.js';
import type { RootComplete } from './schema/rootDefinition.js';

type ServiceComplete = RootComplete['services'][number];

/** The checks of a service, and what follows from them. */
export function resolveServiceHealth(
  service: ServiceComplete,
): Pick<ServiceConfig, 'check' | 'checks' | 'checksNeeded' | 'health'> {
  const { check, checks, checksNeeded, health } = service;
  const { slowStart, flapDamping, maxOut, panic, quorum, passiveHints } = health;
  const needed = checksNeeded === 'any' ? 1 : checksNeeded === 'all' ? undefined : checksNeeded;
  return {
    ...(check === undefined ? {} : { check: resolveCheck(check) }),
    ...(checks === undefined ? {} : { checks: checks.map(resolveCheck) }),
    ...(needed === undefined ? {} : { checksNeeded: needed }),
    health: {
      startDown: health.startDown,
      ...(slowStart === undefined
        ? {}
        : {
            slowStart: {
              durationMs: slowStart.duration,
              curve: slowStart.curve,
              fromPercent: slowStart.from,
            },
          }),
      ...(flapDamping === undefined
        ? {}
        : {
            flapDamping: {
              failures: flapDamping.failures,
              windowMs: flapDamping.window,
              holdMs: flapDamping.hold,
              holdMaxMs: flapDamping.holdMax,
            },
          }),
      ...(maxOut === undefined ? {} : { maxOutPercent: maxOut }),
      ...(panic === undefined ? {} : { panic: { belowPercent: panic.below, use: panic.use } }),
      ...(quorum === undefined
        ? {}
        : { quorum: { of: quorum.of, min: quorum.min, hysteresis: quorum.hysteresis } }),
      whenQuorumLost: quorum?.whenLost ?? 'nothing',
      checkOnlyWhenActive: health.checkOnlyWhenActive,
      ...(passiveHints === undefined
        ? {}
        : {
            passiveHints: {
              intervalMs: passiveHints.interval,
              connectionsMin: passiveHints.connections,
            },
          }),
    },
  };
}

/** What follows from the checks of all services together. */
export function resolveHealth(health: RootComplete['health']): HealthConfig {
  const { whenAllFail, demotion, threads } = health;
  return { whenAllFail, demotion, ...(threads === undefined ? {} : { threads }) };
}
