/** A lab with a director made by hand, in which faults are planted for the doctor to find. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { collectDirector } from '../../src/doctor/collect/director.js';
import { diagnoseDirector } from '../../src/doctor/diagnose.js';
import type { Finding, FindingId } from '../../src/doctor/findings.js';
import { Lab } from '../../src/drill/lab.js';
import { topologies } from '../../src/drill/topologies.js';
import type { TopologyName } from '../../src/drill/topology.js';
import { openIpvsTable } from '../../src/kernel/ipvsTable.js';
import { StreamPoller, streamTarget } from '../../src/kernel/streamPoller.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import type { ForwardingMethod, IpvsOperation, ServiceIdentity } from '../../src/wire/ipvsModel.js';

/** The virtual address of the NAT services. */
export const virtualAddress = ipAddress('172.25.254.100');

/** Where no agent is and no configuration. */
const nowhere = join(tmpdir(), 'no-such-agent');

/** A lab without agents whose servers work. */
export async function doctorLab(context: TestContext, name: TopologyName): Promise<Lab> {
  const lab = new Lab(topologies[name], 'embedded', 'drill');
  context.after(() => lab.remove());
  await lab.startServers();
  return lab;
}

/** Runs `ip`, `iptables-legacy`... on a node. */
export function on(lab: Lab, node: string, command: string): string {
  const [program = '', ...args] = command.split(' ');
  return lab.network.namespace(node).run(() => execFileSync(program, args, { encoding: 'utf8' }));
}

/** Sends the first packet of connections from a node, which ask again until they are closed. */
export function knock(
  lab: Lab,
  node: string,
  port: number,
  options: { readonly address?: string; readonly count?: number } = {},
): StreamPoller {
  const { address = virtualAddress, count = 4 } = options;
  return lab.network.namespace(node).run(() => {
    const poller = new StreamPoller();
    const target = streamTarget(ipAddress(address), port);
    const nobody = { connected: () => undefined, failed: () => undefined };
    for (let each = 0; each < count; each += 1) poller.begin(target, nobody);
    return poller;
  });
}

/** A service of TCP. */
export function tcp(address: string, port: number): ServiceIdentity {
  return { kind: 'address', protocol: 'tcp', address: ipAddress(address), port };
}

/** Operations that make a service with servers of weight 1. */
export function serviceWith(
  identity: ServiceIdentity,
  forwarding: ForwardingMethod,
  servers: readonly string[],
  persistent = false,
): readonly IpvsOperation[] {
  const persistence = { timeoutSeconds: 360, prefixLength: 32 };
  const port = identity.kind === 'address' ? identity.port : 0;
  return [
    {
      kind: 'add-service',
      service: {
        identity,
        scheduler: 'rr',
        onePacket: false,
        schedulerFlags: 0,
        ...(persistent ? { persistence } : {}),
      },
    },
    ...servers.map(
      (address): IpvsOperation => ({
        kind: 'add-server',
        service: identity,
        server: {
          address: ipAddress(address),
          port,
          forwarding,
          weight: 1,
          upperThreshold: 0,
          lowerThreshold: 0,
        },
      }),
    ),
  ];
}

/** Carries out changes of the table of the namespace that this thread is in. */
export async function change(operations: readonly IpvsOperation[]): Promise<void> {
  const table = await openIpvsTable();
  try {
    const failures = await table.apply(operations);
    for (const failure of failures) assert.equal(failure, undefined);
  } finally {
    table.close();
  }
}

/** What the doctor finds in the namespace that this thread is in. */
export async function examine(
  options: Partial<Parameters<typeof collectDirector>[0]> = {},
): Promise<readonly Finding[]> {
  const facts = await collectDirector({
    configPath: nowhere,
    configRequired: false,
    choice: { environment: {}, hostname: 'lb1', node: 'lb1' },
    defaultSocket: nowhere,
    active: true,
    windowMs: 0,
    ...options,
  });
  assert.deepEqual(facts.notLookedAt, []);
  return diagnoseDirector(facts);
}

/** That the first finding is the one that was planted, and says what it shall. */
export function assertFirst(
  findings: readonly Finding[],
  id: FindingId,
  ...texts: readonly RegExp[]
): void {
  const [first] = findings;
  assert.equal(first?.id, id, JSON.stringify(findings, null, 1));
  const text = [first?.what, ...(first?.seen ?? []), ...(first?.todo ?? [])].join('\n');
  for (const wanted of texts) assert.match(text, wanted);
}
