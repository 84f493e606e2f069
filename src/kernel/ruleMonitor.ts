/** Hearing that the rules of policy routing change. */
import * as rt from 'netlink/dist/rt/structs.js';
import { NetlinkSocket } from './netlinkSocket.js';

/** Datagrams that one read takes; what is left keeps the descriptor readable. */
const datagramsPerReadMax = 256;

/** An open monitor. */
export interface RuleMonitor {
  /** For polling. */
  readonly fd: number;
  /** Whether any rule changed since the last read, or may have; never waits. */
  read(): boolean;
  close(): void;
}

/** Opens a monitor of the calling thread's network namespace. It stays in it. */
export function openRuleMonitor(): RuleMonitor {
  const groups = [rt.MulticastGroups.IPV4_RULE, rt.MulticastGroups.IPV6_RULE];
  const mask = groups.reduce((bits, group) => bits | (1 << (group - 1)), 0);
  const socket = new NetlinkSocket('route', mask);
  return { fd: socket.fd, read: () => readAll(socket), close: () => socket.close() };
}

function readAll(socket: NetlinkSocket): boolean {
  let count = 0;
  while (count < datagramsPerReadMax && socket.receive() !== undefined) count += 1;
  return count > 0;
}
