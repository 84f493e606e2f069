/** What a configuration would change, told before it is loaded. */
import type { PlanDocument, VrrpStep } from '../api/planModel.js';
import type { TandemConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import { openIpvsTable } from '../kernel/ipvsTable.js';
import type { VirtualRouterSpec } from '../vrrp/protocol.js';
import { isSameValue, routerKey } from '../vrrp/reconfiguration.js';
import { formatIpPrefix } from '../wire/ipAddress.js';
import type { IpvsOperation } from '../wire/ipvsModel.js';
import { describeOperation } from '../wire/ipvsText.js';
import { planFromNothing } from './balancer.js';

/** The parts of the configuration that the election is made of. */
type ElectionParts = Pick<TandemConfig, 'virtualRouters' | 'syncGroups' | 'trackers' | 'bfd'>;

const nothing: ElectionParts = { virtualRouters: [], syncGroups: [], trackers: [], bfd: [] };

/** Puts a document together. */
export function planDocument(
  plan: Omit<PlanDocument, 'ipvs'> & { readonly operations: readonly IpvsOperation[] },
): PlanDocument {
  const { operations, ...rest } = plan;
  const ipvs = operations.map((operation) => ({ operation, text: describeOperation(operation) }));
  return { ...rest, ipvs };
}

/** What a start with this configuration would do to the kernel's table, without an agent. */
export async function planAgainstKernel(
  file: string,
  config: TandemConfig,
  warnings: readonly string[],
): Promise<PlanDocument> {
  const vrrp = electionSteps(nothing, config);
  const notes = ['no agent answers: compared with the table of the kernel, as a start would do'];
  let operations: readonly IpvsOperation[] = [];
  try {
    operations = await planTable(config);
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    notes.push(`IPVS was not looked at: ${error.message}`);
  }
  return planDocument({ file, against: 'kernel', vrrp, operations, notes, warnings });
}

async function planTable(config: TandemConfig): Promise<readonly IpvsOperation[]> {
  if (config.services.length === 0) return [];
  const table = await openIpvsTable();
  try {
    return await planFromNothing(table, config.services, new Map());
  } finally {
    table.close();
  }
}

/** The steps from one configuration of the election to another. Pure. */
export function electionSteps(
  before: ElectionParts | undefined,
  after: ElectionParts,
): readonly VrrpStep[] {
  const from = before ?? nothing;
  return [
    ...routerSteps(from.virtualRouters, after.virtualRouters),
    ...partSteps('sync group', from.syncGroups, after.syncGroups),
    ...partSteps('tracker', from.trackers, after.trackers),
    ...partSteps('BFD session', from.bfd, after.bfd),
  ];
}

function routerSteps(
  before: readonly VirtualRouterSpec[],
  after: readonly VirtualRouterSpec[],
): readonly VrrpStep[] {
  // A router is what it is on the wire: one with another VRID is another router.
  const running = new Map(before.map((spec) => [routerKey(spec), spec]));
  const wanted = new Map(after.map((spec) => [routerKey(spec), spec]));
  const steps: VrrpStep[] = [];
  for (const [key, spec] of running) {
    if (wanted.has(key)) continue;
    const details = [`priority 0 is sent, then its ${spec.addresses.length} addresses are removed`];
    steps.push({ action: 'remove', what: `router ${routerText(spec)}`, details });
  }
  for (const [key, spec] of wanted) {
    const known = running.get(key);
    if (known === undefined) steps.push(addedRouter(spec));
    else if (!isSameValue(known, spec)) steps.push(...changedRouter(known, spec));
  }
  return steps;
}

function addedRouter(spec: VirtualRouterSpec): VrrpStep {
  const addresses = addressTexts(spec).join(' ');
  const details = [`priority ${spec.priority}`, `addresses ${addresses}`];
  return { action: 'add', what: `router ${routerText(spec)}`, details };
}

function changedRouter(before: VirtualRouterSpec, after: VirtualRouterSpec): readonly VrrpStep[] {
  const router = routerText(after);
  const [old, wanted] = [addressTexts(before), addressTexts(after)];
  const addressStep = (action: 'add' | 'remove') => (address: string) =>
    ({ action, what: `address ${address} of router ${router}`, details: [] }) satisfies VrrpStep;
  const { addresses: _, ...restBefore } = before;
  const { addresses: __, ...restAfter } = after;
  const details = differences(restBefore, restAfter);
  const added = wanted.filter((address) => !old.includes(address));
  const removed = old.filter((address) => !wanted.includes(address));
  const isOtherwise =
    added.length + removed.length === 0 && !isSameValue(before.addresses, after.addresses);
  if (isOtherwise) details.push('addresses: in another order, or with other attributes');
  return [
    ...(details.length === 0
      ? []
      : [{ action: 'change', what: `router ${router}`, details } as const]),
    ...added.map(addressStep('add')),
    ...removed.map(addressStep('remove')),
  ];
}

function routerText({ name, vrid, interface: link }: VirtualRouterSpec): string {
  return `${name} (vrid ${vrid} on ${link})`;
}

function addressTexts(spec: VirtualRouterSpec): readonly string[] {
  return spec.addresses.map(
    ({ prefix, interface: link }) => `${formatIpPrefix(prefix)} on ${link}`,
  );
}

interface NamedPart {
  readonly name: string;
}

function partSteps(
  noun: string,
  before: readonly NamedPart[],
  after: readonly NamedPart[],
): readonly VrrpStep[] {
  const known = new Map(before.map((part) => [part.name, part]));
  const wanted = new Map(after.map((part) => [part.name, part]));
  const steps: VrrpStep[] = [];
  for (const name of known.keys()) {
    if (!wanted.has(name)) steps.push({ action: 'remove', what: `${noun} ${name}`, details: [] });
  }
  for (const [name, part] of wanted) {
    const old = known.get(name);
    if (old === undefined) steps.push({ action: 'add', what: `${noun} ${name}`, details: [] });
    else if (!isSameValue(old, part)) {
      steps.push({ action: 'change', what: `${noun} ${name}`, details: differences(old, part) });
    }
  }
  return steps;
}

/** Fields that hold a secret, or the way to one; that they differ is all that is told. */
const secretFields = new Set(['password', 'hmac', 'authentication']);

function differences(before: object, after: object): string[] {
  const from = new Map<string, unknown>(Object.entries(before));
  const to = new Map<string, unknown>(Object.entries(after));
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((field) => !isSameValue(from.get(field), to.get(field)))
    .map((field) => {
      if (secretFields.has(field)) return `${field}: changed`;
      return `${field}: ${valueText(from.get(field))} -> ${valueText(to.get(field))}`;
    });
}

function valueText(value: unknown): string {
  return value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
}
