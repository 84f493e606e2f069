/** Checks as an operator writes them, up to the probe that runs: no part of the way is left out. */
import { probeWithFiles } from '../../../../src/agent/checkFiles.js';
import { planChecks } from '../../../../src/agent/checkSpecs.js';
import { checkConfigText } from '../../../../src/config/checkText.js';
import type { ServiceConfig } from '../../../../src/config/model.js';
import type { ProbeOutcome, ProbeTarget } from '../../../../src/health/probes/probe.js';
import { runProbe } from '../../../../src/health/probes/runProbe.js';
import type { CheckSpec } from '../../../../src/health/protocol.js';
import { formatEndpoint } from '../../../../src/wire/ipAddress.js';

/** What stands behind `check:` in a file. */
export type CheckText = Readonly<Record<string, unknown>> & { readonly type: string };

/** A deadline that no healthy exchange reaches, however busy the machine is. */
export const patientMs = 30_000;

/** How often a machine may stall in the middle of an expression. */
const attemptsMax = 20;

/** The check of one server, as the agent hands it to the health thread. */
export function configuredCheck(check: CheckText, server: ProbeTarget): CheckSpec {
  const service = serviceWith(check, server);
  const [spec] = planChecks([service], (each) => probeWithFiles(each, service.name)).specs;
  if (spec === undefined) throw new Error('the service has no check');
  return spec;
}

/** Runs the check of a server once, at the server itself or at what stands before it. */
export async function probeBy(
  check: CheckText,
  server: ProbeTarget,
  timeoutMs: number = patientMs,
): Promise<ProbeOutcome> {
  const { address, port, probe } = configuredCheck(check, server);
  const once = () => runProbe({ address, port }, probe, AbortSignal.timeout(timeoutMs));
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await once();
    // The limit of an expression is one of the clock, which goes on while a busy machine stalls.
    const stalled = outcome.reason === 'internal-error' && / took more than /.test(outcome.detail);
    if (!stalled || attempt === attemptsMax) return outcome;
  }
}

function serviceWith(check: CheckText, { address, port }: ProbeTarget): ServiceConfig {
  const family = address.includes(':') ? '[2001:db8::1]' : '192.0.2.1';
  // JSON is YAML.
  const text = JSON.stringify({
    cluster: 'probes',
    nodes: {
      lb1: { address: '192.0.2.101', interface: 'eth0' },
      lb2: { address: '192.0.2.102', interface: 'eth0' },
    },
    virtualRouters: [
      {
        name: 'outside',
        vrid: 51,
        priority: { lb1: 150, lb2: 100 },
        addresses: ['192.0.2.1/24'],
      },
    ],
    services: [
      {
        name: 'probed',
        listen: `tcp://${family}:${port}`,
        forward: 'nat',
        check,
        servers: [{ address: formatEndpoint(address, port) }],
      },
    ],
  });
  const { configs, problems } = checkConfigText(text);
  const [service] = configs[0]?.services ?? [];
  if (service === undefined || problems.length > 0) {
    throw new Error(`the check is refused: ${JSON.stringify(problems)}`);
  }
  return service;
}
