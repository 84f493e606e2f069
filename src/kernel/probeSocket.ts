/**
 * Sockets for probes that Node cannot make by itself: with a firewall mark, or for echo requests.
 * They are made here and handed to Node, which owns them from then on.
 */
import { familyOf, type IpAddress } from '../wire/ipAddress.js';
import { encodeSocketAddress, familyNumber } from './internetAddress.js';
import { openSocket, setSocketOption, socketOption } from './socketOptions.js';
import { readSysctl, writeSysctl } from './sysctl.js';
import { checked, closeOnFailure, libc } from './systemCall.js';

/** What a probe's socket is for. */
export interface ProbeSocketOptions {
  /** Whom it will be connected to. */
  readonly peer: IpAddress;
  readonly source?: IpAddress;
  /** SO_MARK, which needs CAP_NET_ADMIN. */
  readonly mark?: number;
}

/** IPPROTO_ICMP and IPPROTO_ICMPV6 (in.h, in6.h). */
const echoProtocol = { 4: 1, 6: 58 } as const;

/** The groups that may open echo sockets, as `first last`; first > last: none (icmp(7)). */
const groupRangeParameter = 'net.ipv4.ping_group_range';

/**
 * Opens a socket and gives its descriptor, not yet connected. Throws `PERMISSION` where the mark
 * is refused, `SYSTEM_CALL` with EADDRNOTAVAIL when this machine lacks the source address.
 */
export function openProbeSocket(
  kind: 'stream' | 'datagram' | 'echo',
  options: ProbeSocketOptions,
): number {
  const { peer, source, mark } = options;
  const particulars = { context: `probe of ${peer}` };
  const family = familyOf(peer);
  if (kind === 'echo') allowEchoSockets();
  const protocol = kind === 'echo' ? echoProtocol[family] : 0;
  const type = kind === 'stream' ? 'stream' : 'datagram';
  const fd = openSocket(familyNumber(family), type, protocol, particulars);
  return closeOnFailure(fd, () => {
    if (mark !== undefined) setSocketOption(fd, socketOption.mark, mark, particulars);
    if (source !== undefined) {
      const address = encodeSocketAddress(source, 0);
      checked(libc.bind(fd, address, address.length), 'bind', particulars);
    }
    return fd;
  });
}

/**
 * A new namespace lets nobody open echo sockets, not even root. The group of this process is let
 * in where no other is; a range that somebody has set is left alone.
 */
function allowEchoSockets(): void {
  const [first = 1, last = 0] = readSysctl(groupRangeParameter).split(/\s+/).map(Number);
  const group = process.getegid?.() ?? 0;
  if (first > last) writeSysctl(groupRangeParameter, `${group} ${group}`);
}
