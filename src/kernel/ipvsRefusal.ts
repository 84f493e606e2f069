/** The errors for what the kernel refuses of IPVS. Pure. */
import { TandemError } from '../errors.js';
import type { IpvsOperation, IpvsTimeouts, SyncDaemon } from '../wire/ipvsModel.js';
import { describeOperation } from '../wire/ipvsText.js';
import type { LossCause } from './genericNetlink.js';
import {
  type Explanation,
  explainDaemonStart,
  explainOperation,
  explainTimeouts,
} from './ipvsExplanation.js';

const needsNetAdmin = 'This needs CAP_NET_ADMIN in the initial user namespace: run as root.';

/** The error for a change that the kernel refused with an errno. */
export function operationRefused(operation: IpvsOperation, errnoName: string): TandemError {
  return refusal(describeOperation(operation), errnoName, explainOperation(operation, errnoName));
}

/** The error for a synchronisation daemon that the kernel refused to start. */
export function daemonStartRefused(daemon: SyncDaemon, errnoName: string): TandemError {
  const what = `start the ${daemon.role} sync daemon on ${daemon.interface}`;
  return refusal(what, errnoName, explainDaemonStart(daemon, errnoName));
}

/** The error for connection timeouts that the kernel refused. */
export function timeoutsRefused(timeouts: Partial<IpvsTimeouts>, errnoName: string): TandemError {
  const what = 'set the connection timeouts';
  return refusal(what, errnoName, explainTimeouts(timeouts, errnoName));
}

/** The error for any other request that the kernel refused, for example `list the services`. */
export function requestRefused(what: string, errnoName: string): TandemError {
  if (errnoName === 'ENOENT' || errnoName === 'EOPNOTSUPP') return ipvsUnavailable(what, errnoName);
  const explanation: Record<string, Explanation> = {
    ESRCH: { why: 'there is no such service or daemon' },
    EINVAL: { why: 'a value is out of its range' },
  };
  return refusal(what, errnoName, explanation[errnoName]);
}

/** The error for a kernel without IPVS. */
export function ipvsUnavailable(what: string, errnoName?: string): TandemError {
  return new TandemError('IPVS_UNAVAILABLE', `cannot ${what}: the running kernel offers no IPVS`, {
    ...(errnoName === undefined ? {} : { errnoName }),
  });
}

/** The error for a request whose answer did not come, or was lost on the way. */
export function answerLost(what: string, cause: LossCause): TandemError {
  const why = cause === 'timeout' ? 'the kernel did not answer in time' : 'the answer was lost';
  return new TandemError('NETLINK_TIMEOUT', `cannot ${what}: ${why}`, {
    ...(cause === 'overrun' ? { errnoName: 'ENOBUFS' } : {}),
  });
}

/** The error for a value that does not fit the kernel's interface. */
export function valueRefused(what: string, cause: Error): TandemError {
  return new TandemError('IPVS_REFUSED', `cannot ${what}: ${cause.message}`, { cause });
}

function refusal(
  what: string,
  errnoName: string,
  explanation: Explanation | undefined,
): TandemError {
  if (errnoName === 'EPERM' || errnoName === 'EACCES') {
    return new TandemError('PERMISSION', `cannot ${what}: ${errnoName}: permission denied`, {
      errnoName,
      hint: needsNetAdmin,
    });
  }
  const why = explanation === undefined ? errnoName : `${errnoName}: ${explanation.why}`;
  return new TandemError('IPVS_REFUSED', `cannot ${what}: ${why}`, {
    errnoName,
    ...(explanation?.hint === undefined ? {} : { hint: explanation.hint }),
  });
}
