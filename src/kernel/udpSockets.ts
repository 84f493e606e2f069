/** The UDP sockets of this network namespace, from /proc/net/udp (IPv4). */
import { readFileSync } from 'node:fs';

/** One socket. */
export interface UdpSocketRow {
  /** `224.0.0.81:8848`. */
  readonly local: string;
  /** `0.0.0.0:0` for one that is not connected. */
  readonly remote: string;
  readonly localPort: number;
  /** What waits to be read, with the kernel's own overhead, in bytes. */
  readonly receiveQueueBytes: number;
  readonly userId: number;
  /** Datagrams that were thrown away because the queue was full. */
  readonly drops: number;
}

/** Reads them. The calling thread's namespace counts. */
export function readUdpSockets(): readonly UdpSocketRow[] {
  return parseUdpSockets(readFileSync('/proc/thread-self/net/udp', 'latin1'));
}

/** Reads the text of the file; rows that are not understood are left out. */
export function parseUdpSockets(text: string): readonly UdpSocketRow[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, remote, , queues, , , userId, , , , , drops] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined || drops === undefined) return [];
      return [
        {
          local: endpoint(local),
          remote: endpoint(remote),
          localPort: Number.parseInt(local.slice(9), 16),
          receiveQueueBytes: Number.parseInt(queues?.split(':')[1] ?? '0', 16),
          userId: Number(userId),
          drops: Number(drops),
        },
      ];
    });
}

/** `510000E0:2290` is 224.0.0.81:8848: the address is in the byte order of the machine. */
function endpoint(hex: string): string {
  const [address = '', port = ''] = hex.split(':');
  const octets = address.match(/../g)?.toReversed() ?? [];
  const dotted = octets.map((octet) => Number.parseInt(octet, 16)).join('.');
  return `${dotted}:${Number.parseInt(port, 16)}`;
}
