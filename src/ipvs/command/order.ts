/** The order in which ipvsadm lists services and servers. Pure. */
import { familyOf, type IpAddress, ipToBytes } from '../../wire/ipAddress.js';
import { protocolNumbers } from '../../wire/ipvsAttributes.js';
import type { IpvsServer, ServiceIdentity } from '../../wire/ipvsModel.js';
import { identityFamily } from '../../wire/ipvsService.js';
import type { ListedTableService } from '../table.js';

/** Services by mark, family, protocol, address and port. */
export function sortServices(table: readonly ListedTableService[]): readonly ListedTableService[] {
  return mergeSort(table, (left, right) =>
    compareServices(left.service.identity, right.service.identity),
  );
}

/** Servers by family, address and port. */
export function sortServers<Server extends IpvsServer>(
  servers: readonly Server[],
): readonly Server[] {
  return mergeSort(servers, compareServers);
}

function compareServices(left: ServiceIdentity, right: ServiceIdentity): number {
  const byMark = signed(markOf(left) - markOf(right));
  if (byMark !== 0) return byMark;
  const byFamily = identityFamily(left) - identityFamily(right);
  if (byFamily !== 0 || left.kind === 'fwmark' || right.kind === 'fwmark') return byFamily;
  return (
    protocolNumbers[left.protocol] - protocolNumbers[right.protocol] ||
    compareAddresses(left.address, right.address) ||
    left.port - right.port
  );
}

function compareServers(left: IpvsServer, right: IpvsServer): number {
  return (
    familyOf(left.address) - familyOf(right.address) ||
    compareAddresses(left.address, right.address) ||
    left.port - right.port
  );
}

function markOf(identity: ServiceIdentity): number {
  return identity.kind === 'fwmark' ? identity.fwmark : 0;
}

/** Word by word, by the sign of a 32-bit difference: 192.0.0.1 comes before 10.0.0.1. */
function compareAddresses(left: IpAddress, right: IpAddress): number {
  const [leftBytes, rightBytes] = [ipToBytes(left), ipToBytes(right)];
  const leftView = new DataView(leftBytes.buffer, leftBytes.byteOffset);
  const rightView = new DataView(rightBytes.buffer, rightBytes.byteOffset);
  for (let offset = 0; offset < leftBytes.length; offset += 4) {
    const difference = signed(leftView.getUint32(offset) - rightView.getUint32(offset));
    if (difference !== 0) return difference;
  }
  return 0;
}

function signed(difference: number): number {
  return difference | 0;
}

/**
 * Top-down merge sort, the left half being the smaller one, as qsort(3) of the C library does it.
 * A difference that wraps round is no order at all (a before b before c before a), and then the
 * result depends on which pairs are compared; so they have to be the same pairs.
 */
function mergeSort<Item>(
  items: readonly Item[],
  compare: (left: Item, right: Item) => number,
): readonly Item[] {
  if (items.length < 2) return items;
  const middle = Math.floor(items.length / 2);
  const left = mergeSort(items.slice(0, middle), compare);
  const right = mergeSort(items.slice(middle), compare);
  const merged: Item[] = [];
  let [leftIndex, rightIndex] = [0, 0];
  while (leftIndex < left.length && rightIndex < right.length) {
    const [leftItem, rightItem] = [left[leftIndex] as Item, right[rightIndex] as Item];
    if (compare(leftItem, rightItem) <= 0) {
      merged.push(leftItem);
      leftIndex += 1;
    } else {
      merged.push(rightItem);
      rightIndex += 1;
    }
  }
  return [...merged, ...left.slice(leftIndex), ...right.slice(rightIndex)];
}
