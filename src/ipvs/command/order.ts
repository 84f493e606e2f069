/** The order in which ipvsadm lists services and servers. Pure. */
import { type IpAddress, ipToBytes } from '../../wire/ipAddress.js';
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
  const keyed = servers.map((server) => ({ server, words: wordsOf(server.address) }));
  return mergeSort(keyed, compareServers).map(({ server }) => server);
}

function compareServices(left: ServiceIdentity, right: ServiceIdentity): number {
  const byMark = signed(markOf(left) - markOf(right));
  if (byMark !== 0) return byMark;
  const byFamily = identityFamily(left) - identityFamily(right);
  if (byFamily !== 0 || left.kind === 'fwmark' || right.kind === 'fwmark') return byFamily;
  return (
    protocolNumbers[left.protocol] - protocolNumbers[right.protocol] ||
    compareWords(wordsOf(left.address), wordsOf(right.address)) ||
    left.port - right.port
  );
}

/** A server with the words of its address, which many comparisons need. */
interface KeyedServer {
  readonly server: IpvsServer;
  readonly words: readonly number[];
}

function compareServers(left: KeyedServer, right: KeyedServer): number {
  return (
    left.words.length - right.words.length ||
    compareWords(left.words, right.words) ||
    left.server.port - right.server.port
  );
}

function markOf(identity: ServiceIdentity): number {
  return identity.kind === 'fwmark' ? identity.fwmark : 0;
}

/** The 32-bit words of an address: one for IPv4, four for IPv6. */
function wordsOf(address: IpAddress): readonly number[] {
  const bytes = ipToBytes(address);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32(index * 4));
}

/** Word by word, by the sign of a 32-bit difference: 192.0.0.1 comes before 10.0.0.1. */
function compareWords(left: readonly number[], right: readonly number[]): number {
  for (const [index, word] of left.entries()) {
    const difference = signed(word - (right[index] ?? 0));
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
