/** Cross checks of what follows from the checks of a service. */
import { formatEndpoint } from '../../wire/ipAddress.js';
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { checkBfdChecks } from './bfdChecks.js';
import { checkServiceTimes } from './checkTimes.js';
import { present } from './present.js';
import type { ServiceDraft } from './services.js';

/** With a smaller weight a ramp has too few steps to be one. */
const rampWeightMin = 10;

/** All of them. */
export function checkServiceHealth(draft: RootDraft): readonly Finding[] {
  return present(draft.services).flatMap(([index, service]) => {
    const path = ['services', index];
    return [
      ...checkSeveral(path, service),
      ...checkRamp(path, service),
      ...checkSorryServer(path, service),
      ...checkQuorum(path, service),
      ...checkServiceTimes(draft, path, service),
      ...checkBfdChecks(draft, path, service),
    ];
  });
}

function checkSeveral(path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  const { check, checks, checksNeeded } = service;
  if (check !== undefined && checks !== undefined) {
    return [errorAt([...path, 'checks'], 'cannot stand beside `check`', 'move it into the list')];
  }
  if (checksNeeded === undefined) return [];
  const here = [...path, 'checksNeeded'];
  if (checks === undefined) return [errorAt(here, 'belongs to `checks`', 'remove it')];
  if (typeof checksNeeded !== 'number' || checksNeeded <= checks.length) return [];
  return [errorAt(here, `must not exceed the ${checks.length} checks, got ${checksNeeded}`)];
}

function checkRamp(path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  if (service.health.slowStart === undefined) return [];
  const small = present(service.servers).find(
    ([, { weight = 1 }]) => weight > 0 && weight < rampWeightMin,
  );
  if (small === undefined) return [];
  const [index, { weight = 1 }] = small;
  const message = `has hardly any steps for servers[${index}], whose weight is ${weight}`;
  const hint = 'give all servers of the service a hundred times the weight';
  return [warningAt([...path, 'health', 'slowStart'], message, hint)];
}

function checkSorryServer(path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  const { sorryServer, whenAllDown, servers } = service;
  const wanted =
    whenAllDown === 'sorry-server' || service.health.quorum?.whenLost === 'sorry-server';
  if (sorryServer === undefined) {
    if (!wanted) return [];
    const hint = "for example sorryServer: { address: '192.0.2.9:80' }";
    return [errorAt(path, 'needs a `sorryServer`, because it is to be used', hint)];
  }
  const findings: Finding[] = [];
  const here = [...path, 'sorryServer'];
  if (!wanted) {
    const hint = 'set `whenAllDown: sorry-server`';
    findings.push(warningAt(here, 'is never used', hint));
  }
  const { address } = sorryServer;
  if (address === undefined) return findings;
  const same = present(servers).find(
    ([, each]) => each.address?.address === address.address && each.address.port === address.port,
  );
  if (same === undefined) return findings;
  const text =
    address.port === undefined ? address.address : formatEndpoint(address.address, address.port);
  const hint = 'use a server that is not in the pool';
  findings.push(errorAt([...here, 'address'], `${text} is servers[${same[0]}] already`, hint));
  return findings;
}

function checkQuorum(path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  const { quorum } = service.health;
  const servers = present(service.servers);
  if (quorum?.min === undefined || servers.length === 0) return [];
  const weights = servers.map(([, { weight = 1 }]) => weight);
  const most =
    quorum.of === 'weight'
      ? weights.reduce((sum, weight) => sum + weight, 0)
      : weights.filter((weight) => weight > 0).length;
  if (quorum.min + (quorum.hysteresis ?? 0) <= most) return [];
  const message = `with its hysteresis is never met: all servers together come to ${most}`;
  return [errorAt([...path, 'health', 'quorum', 'min'], message, 'lower it')];
}
