/** Counters of the calling thread's network namespace that are only in files of /proc/net. */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { type IpAddress, ipFromBytes } from '../wire/ipAddress.js';

/** `self` would be the main thread; only `thread-self` follows the calling thread's namespace. */
const folder = '/proc/thread-self/net';

/** State of a listening socket of TCP (tcp_states.h, TCP_LISTEN); of UDP an unconnected one. */
const openStates = { tcp: '0A', udp: '07' } as const;

/** A port that a program listens at. */
export interface ListeningPort {
  readonly protocol: 'tcp' | 'udp';
  /** `0.0.0.0` or `::` for every address. */
  readonly address: IpAddress;
  readonly port: number;
}

/**
 * Counters of a file in the form of /proc/net/netstat: for each group a line of names and one of
 * numbers. `undefined` when the kernel has no such counter.
 */
export function readNetworkCounter(group: string, name: string): number | undefined {
  const lines = readLines('netstat').filter((line) => line.startsWith(`${group}: `));
  const [names = '', numbers = ''] = lines;
  const at = names.split(' ').indexOf(name);
  const value = at < 0 ? undefined : numbers.split(' ')[at];
  return value === undefined ? undefined : Number(value);
}

/** Every port that something listens at. */
export function readListeningPorts(): readonly ListeningPort[] {
  return (['tcp', 'udp'] as const).flatMap((protocol) =>
    [protocol, `${protocol}6`].flatMap((file) =>
      readLines(file).flatMap((line) => {
        const row = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line);
        if (row === null || row[3] !== openStates[protocol]) return [];
        const address = procAddress(row[1] ?? '');
        if (address === undefined) return [];
        return [{ protocol, address, port: Number.parseInt(row[2] ?? '', 16) }];
      }),
    ),
  );
}

/** An address as /proc/net/tcp prints it: words of 32 bits in the order of this machine. */
export function procAddress(text: string): IpAddress | undefined {
  if (text.length !== 8 && text.length !== 32) return undefined;
  const bytes = Buffer.from(text, 'hex');
  return ipFromBytes(endianness() === 'LE' ? bytes.swap32() : bytes);
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(`${folder}/${file}`, 'latin1').split('\n');
  } catch {
    // Without IPv6, for one, there is no such file.
    return [];
  }
}
