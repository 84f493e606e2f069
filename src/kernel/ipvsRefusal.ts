/** What the kernel means by each errno that it answers to an IPVS request, in words. Pure. */
import { TandemError } from '../errors.js';
import type { IpvsOperation, SyncDaemon } from '../wire/ipvsModel.js';
import { describeOperation } from '../wire/ipvsText.js';
import type { LossCause } from './genericNetlink.js';

/** Why, and what to do about it. */
interface Explanation {
  readonly why: string;
  readonly hint?: string;
}

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

function explainOperation(operation: IpvsOperation, errnoName: string): Explanation | undefined {
  const common: Record<string, Explanation> = {
    EAFNOSUPPORT: {
      why: 'the kernel does not balance this address family',
      hint: 'IPv6 needs a kernel with CONFIG_IP_VS_IPV6.',
    },
    ENOMEM: { why: 'the kernel is out of memory' },
  };
  return explainByKind(operation, errnoName) ?? common[errnoName];
}

function explainByKind(operation: IpvsOperation, errnoName: string): Explanation | undefined {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return explainService(operation, errnoName);
    case 'delete-service':
      return errnoName === 'ESRCH' ? { why: 'there is no such service' } : undefined;
    case 'add-server':
    case 'edit-server':
    case 'delete-server':
      return explainServer(operation, errnoName);
  }
}

function explainService(
  operation: Extract<IpvsOperation, { readonly kind: 'add-service' | 'edit-service' }>,
  errnoName: string,
): Explanation | undefined {
  const { scheduler, persistenceEngine } = operation.service;
  if (errnoName === 'ENOENT') {
    const engine =
      persistenceEngine === undefined ? '' : ` or persistence engine ${persistenceEngine}`;
    const engineModule =
      persistenceEngine === undefined ? '' : `, \`modprobe ip_vs_pe_${persistenceEngine}\``;
    return {
      why: `the kernel has no scheduler ${scheduler}${engine}`,
      hint: `Load it with \`modprobe ip_vs_${scheduler}\`${engineModule}, or choose another.`,
    };
  }
  const reasons: Record<string, Explanation> = {
    EEXIST: {
      why: 'the service exists already',
      hint: 'Another program has added it; the next audit takes it over.',
    },
    ESRCH: {
      why: 'there is no such service',
      hint: 'Another program has deleted it; the next audit adds it again.',
    },
    EINVAL: {
      why: 'the kernel does not take these settings',
      hint: 'Check scheduler name, persistence and its prefix length (IPv6: 1 to 128).',
    },
  };
  return reasons[errnoName];
}

function explainServer(
  operation: Extract<
    IpvsOperation,
    { readonly kind: 'add-server' | 'edit-server' | 'delete-server' }
  >,
  errnoName: string,
): Explanation | undefined {
  const reasons: Record<string, Explanation> = {
    EEXIST: {
      why: 'the server exists already',
      hint: 'Another program has added it; the next audit takes it over.',
    },
    ESRCH: {
      why: 'its service does not exist',
      hint: 'Another program has deleted it, or adding it was refused as well.',
    },
    ENOENT: {
      why: 'there is no such server',
      hint: 'Another program has deleted it; the next audit adds it again.',
    },
    ERANGE: {
      why: 'a weight is negative, or the lower threshold is above the upper one',
    },
    EINVAL: {
      why:
        operation.kind === 'add-server'
          ? 'the address is not a unicast address that a server can have'
          : 'the kernel does not take these settings',
      hint:
        'Multicast, unspecified and IPv6 link-local addresses cannot be servers; a server of the ' +
        'other address family needs forwarding method tunnel and no sync daemon running.',
    },
  };
  return reasons[errnoName];
}

function explainDaemonStart(daemon: SyncDaemon, errnoName: string): Explanation | undefined {
  const reasons: Record<string, Explanation> = {
    ENODEV: {
      why: `there is no interface ${daemon.interface}`,
      hint: 'List the interfaces with `ip link`, then correct `connectionSync.interface`.',
    },
    EEXIST: {
      why: `a ${daemon.role} sync daemon runs already`,
      hint: 'Stop it with `ipvsadm --stop-daemon`, or leave it to the next audit.',
    },
    ENETUNREACH: {
      why: 'the multicast group cannot be reached',
      hint: `Check that ${daemon.interface} is up.`,
    },
    EINVAL: {
      why: 'the kernel does not take these settings',
      hint:
        'The group must be a multicast address; and no service may have a server of the other ' +
        'address family while a sync daemon runs.',
    },
  };
  return reasons[errnoName];
}
