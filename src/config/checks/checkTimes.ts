/** Cross checks of the times of checks, and of keys that mean something only with checks. */
import { formatDurationMs } from '../duration.js';
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { present } from './present.js';
import type { ServiceDraft } from './services.js';

type CheckDraft = NonNullable<ServiceDraft['check']>;

/** Every check of a service, with where it is written. */
export function checkDrafts(
  path: ConfigPath,
  { check, checks }: ServiceDraft,
): readonly (readonly [ConfigPath, CheckDraft])[] {
  return [
    ...(check === undefined ? [] : [[[...path, 'check'], check] as const]),
    ...present(checks).map(([index, each]) => [[...path, 'checks', index], each] as const),
  ];
}

/** All of them for one service. */
export function checkServiceTimes(
  draft: RootDraft,
  path: ConfigPath,
  service: ServiceDraft,
): readonly Finding[] {
  const checks = checkDrafts(path, service);
  return [
    ...checks.flatMap(([here, check]) => checkIntervals(here, check)),
    ...checkDamping(path, service),
    ...checkCap(path, service),
    ...(service.check === undefined && service.checks === undefined
      ? checkWithoutChecks(path, service)
      : []),
    ...checkActiveOnly(draft, path, service),
    ...checkHints(path, service),
  ];
}

function checkIntervals(path: ConfigPath, check: CheckDraft): readonly Finding[] {
  const { interval, intervalWhenChanging: changing, timeout } = check;
  const findings: Finding[] = [];
  if (changing !== undefined && interval !== undefined && changing > interval) {
    const message =
      `${formatDurationMs(changing)} is longer than the interval ${formatDurationMs(interval)}: ` +
      'failures are confirmed later than without it';
    findings.push(warningAt([...path, 'intervalWhenChanging'], message, 'make it shorter'));
  }
  if (timeout === undefined) return findings;
  for (const key of ['intervalWhenChanging', 'intervalWhenDown'] as const) {
    const between = check[key];
    if (between === undefined || timeout <= between) continue;
    const [long, short] = [formatDurationMs(timeout), formatDurationMs(between)];
    const message = `${short} is shorter than the timeout ${long}: checks wait for each other`;
    findings.push(warningAt([...path, key], message, 'make the timeout shorter'));
  }
  return findings;
}

function checkDamping(path: ConfigPath, { health }: ServiceDraft): readonly Finding[] {
  const { hold, holdMax, window } = health.flapDamping ?? {};
  const here = [...path, 'health', 'flapDamping'];
  if (hold === undefined) return [];
  if (holdMax !== undefined && holdMax < hold) {
    const message = `${formatDurationMs(holdMax)} is shorter than hold ${formatDurationMs(hold)}`;
    return [errorAt([...here, 'holdMax'], message, 'make it at least as long')];
  }
  if (window === undefined || window > hold) return [];
  const message =
    `failures are forgotten after ${formatDurationMs(window)}, which is no longer than the ` +
    `hold of ${formatDurationMs(hold)}: it never doubles`;
  return [warningAt([...here, 'window'], message, 'make the window several times the hold')];
}

function checkCap(path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  const { maxOut } = service.health;
  const count = present(service.servers).filter(([, { weight = 1 }]) => weight > 0).length;
  if (maxOut === undefined || maxOut === 0 || count === 0) return [];
  if (Math.floor((count * maxOut) / 100) > 0) return [];
  const message = `${maxOut}% of ${count} servers is less than one: no server is ever taken out`;
  const hint = `at least ${Math.ceil(100 / count)}%; or 0%, if that is what is wanted`;
  return [warningAt([...path, 'health', 'maxOut'], message, hint)];
}

const keysOfChecks = ['slowStart', 'flapDamping', 'maxOut', 'panic', 'passiveHints'] as const;

function checkWithoutChecks(path: ConfigPath, { health }: ServiceDraft): readonly Finding[] {
  const message = 'does nothing: the service has no check';
  const hint = 'add a `check`, or remove it';
  return [
    ...keysOfChecks.filter((key) => health[key] !== undefined),
    ...(['startDown', 'checkOnlyWhenActive'] as const).filter((key) => health[key] === true),
  ].map((key) => warningAt([...path, 'health', key], message, hint));
}

function checkActiveOnly(
  draft: RootDraft,
  path: ConfigPath,
  { health }: ServiceDraft,
): readonly Finding[] {
  if (health.checkOnlyWhenActive !== true) return [];
  if (draft.virtualRouters === undefined || draft.virtualRouters.length > 0) return [];
  const message = 'without virtual routers this node is always active';
  return [warningAt([...path, 'health', 'checkOnlyWhenActive'], message, 'remove it')];
}

function checkHints(path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  const { health, listen, forward, servers } = service;
  if (health.passiveHints === undefined || listen === undefined) return [];
  const isBlind =
    listen.every((listener) => listener?.protocol === 'udp') &&
    present(servers).every(([, server]) => {
      const how = server.forward ?? forward;
      return how === 'dr' || how === 'tunnel';
    });
  if (!isBlind) return [];
  const message = 'sees nothing: answers over UDP do not come by this director';
  return [warningAt([...path, 'health', 'passiveHints'], message, 'remove it')];
}
