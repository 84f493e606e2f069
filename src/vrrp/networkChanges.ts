/** Carries out batches of changes so that nothing of the node's own is harmed by them. */
import { TandemError } from '../errors.js';
import type {
  ChangeOutcome,
  InterfaceAddress,
  NetworkChange,
  RouteNetlink,
} from '../kernel/routeNetlink.js';
import { readSysctl, writeSysctl } from '../kernel/sysctl.js';
import { byAddress, endangeredBy, formatChange } from './holdings.js';

/** One change that could not be made. */
export interface ChangeFailure {
  readonly change: NetworkChange;
  readonly error: TandemError;
}

/** What became of a batch. */
export interface ChangeResults {
  /** In the order of the changes. */
  readonly outcomes: readonly ChangeOutcome[];
  readonly failures: readonly ChangeFailure[];
}

/**
 * Carries out changes in one batch, in order. `present` are the addresses as they are; `nameOf`
 * gives the names of interfaces.
 *
 * A virtual address that was on its interface before the node's own address of the same network
 * takes that one with it when it is deleted, unless the kernel promotes the others
 * (`promote_secondaries`). So that is switched on for the time of the batch where it is needed; and
 * where it cannot be, the others are added again in the same batch.
 */
export function changeNetwork(
  routes: RouteNetlink,
  changes: readonly NetworkChange[],
  present: readonly InterfaceAddress[],
  nameOf: (interfaceIndex: number) => string | undefined,
): ChangeResults {
  if (changes.length === 0) return { outcomes: [], failures: [] };
  // A takeover deletes nothing, and is in a hurry.
  const deletes = changes.some(({ action }) => action === 'delete');
  const endangered = deletes ? endangeredBy(deletedOf(changes, present), present) : [];
  const indexes = [...new Set(endangered.map(({ interfaceIndex }) => interfaceIndex))];
  const parameters = indexes.map((index) => promotionParameter(nameOf(index)));
  const switched = parameters.filter((parameter) => parameter !== undefined && switchOn(parameter));
  try {
    const outcomes = routes.change([...changes, ...endangered.map(restoration)]);
    return { outcomes: outcomes.slice(0, changes.length), failures: failuresOf(changes, outcomes) };
  } finally {
    for (const parameter of switched) if (parameter !== undefined) writeSysctl(parameter, 0);
  }
}

/**
 * Sees to it that the routes and rules that were there already are ours. One that is somebody
 * else's does what it does for its owner, and would stay behind where ours is needed.
 */
export function claimRouting(
  routes: RouteNetlink,
  changes: readonly NetworkChange[],
  outcomes: readonly ChangeOutcome[],
): readonly ChangeFailure[] {
  const claimed = changes.filter(
    ({ kind, action }, index) =>
      outcomes[index] === 'already' && action === 'add' && (kind === 'route' || kind === 'rule'),
  );
  if (claimed.length === 0) return [];
  // The kernel deletes only what has our mark.
  const deleted = routes.change(claimed.map(reversed));
  const ours = claimed.filter((_, index) => deleted[index] === 'done');
  const foreign = claimed
    .filter((_, index) => deleted[index] === 'already')
    .map((change) => ({ change, error: foreignError(change) }));
  return [...failuresOf(ours, routes.change(ours)), ...foreign];
}

function foreignError(change: NetworkChange): TandemError {
  return new TandemError('SYSTEM_CALL', `${formatChange(change)} is there and is not Tandem's`, {
    errnoName: 'EEXIST',
    hint: 'Remove it, or give one of the two another metric or priority.',
  });
}

function failuresOf(
  changes: readonly NetworkChange[],
  outcomes: readonly ChangeOutcome[],
): readonly ChangeFailure[] {
  const failures: ChangeFailure[] = [];
  for (const [index, change] of changes.entries()) {
    const outcome = outcomes[index];
    if (outcome instanceof TandemError) failures.push({ change, error: outcome });
  }
  return failures;
}

function deletedOf(
  changes: readonly NetworkChange[],
  present: readonly InterfaceAddress[],
): readonly InterfaceAddress[] {
  const found = byAddress(present);
  return changes.flatMap((change) =>
    change.kind === 'address' && change.action === 'delete'
      ? (found.get(change.prefix.address) ?? []).filter(
          ({ interfaceIndex, prefix }) =>
            interfaceIndex === change.interfaceIndex && prefix.length === change.prefix.length,
        )
      : [],
  );
}

function restoration(address: InterfaceAddress): NetworkChange {
  const { interfaceIndex, prefix, peer, label } = address;
  return {
    kind: 'address',
    action: 'add',
    interfaceIndex,
    prefix,
    ...(peer === undefined ? {} : { peer }),
    ...(label === undefined ? {} : { label }),
  };
}

function reversed(change: NetworkChange): NetworkChange {
  if (change.kind === 'route') return { ...change, action: 'delete' };
  if (change.kind === 'rule') return { ...change, action: 'delete' };
  return change;
}

function promotionParameter(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return `net.ipv4.conf.${name.replaceAll('.', '/')}.promote_secondaries`;
}

/** Whether it had to be switched on, and was. */
function switchOn(parameter: string): boolean {
  try {
    if (readSysctl(parameter) !== '0') return false;
    writeSysctl(parameter, 1);
    return true;
  } catch (error) {
    // A container may have no say over its kernel parameters.
    if (error instanceof TandemError) return false;
    throw error;
  }
}
