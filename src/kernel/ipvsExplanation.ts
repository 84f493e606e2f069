/**
 * What the kernel means by each errno that it answers to a change of IPVS, in words. One errno has
 * many causes; which it was is told from what was asked. Pure.
 */
import { familyOf, type IpFamily, isLinkLocal, isMulticastAddress } from '../wire/ipAddress.js';
import type {
  IpvsOperation,
  IpvsServer,
  IpvsService,
  IpvsTimeouts,
  SyncDaemon,
} from '../wire/ipvsModel.js';
import { identityFamily } from '../wire/ipvsService.js';

/** Why, and what to do about it. */
export interface Explanation {
  readonly why: string;
  readonly hint?: string;
}

type ServerOperation = Extract<
  IpvsOperation,
  { readonly kind: 'add-server' | 'edit-server' | 'delete-server' }
>;

/** IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN (`ip_vs.h`), each without the NUL. */
const schedulerLengthMax = 15;
const engineLengthMax = 16;

/** Thresholds and timeouts are ints in the kernel. */
const signedMax = 0x7fff_ffff;

/** The fastest clock of a kernel (CONFIG_HZ), in which timeouts are counted. */
const ticksPerSecondMax = 1_000;

/** Why a change of the table was refused; `undefined` when only the errno is known. */
export function explainOperation(
  operation: IpvsOperation,
  errnoName: string,
): Explanation | undefined {
  const common: Record<string, Explanation> = {
    EAFNOSUPPORT: {
      why: 'the kernel does not balance this address family',
      hint: 'IPv6 needs a kernel with CONFIG_IP_VS_IPV6.',
    },
    ENOMEM: {
      why: 'the kernel is out of memory',
      hint: 'Look at `free -m` and the kernel log; the next audit tries again.',
    },
  };
  return explainByKind(operation, errnoName) ?? common[errnoName];
}

function explainByKind(operation: IpvsOperation, errnoName: string): Explanation | undefined {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service':
      return explainService(operation.service, errnoName);
    case 'delete-service':
      if (errnoName !== 'ESRCH') return undefined;
      return {
        why: 'there is no such service',
        hint: 'Another program has deleted it; there is nothing left to do.',
      };
    case 'add-server':
    case 'edit-server':
    case 'delete-server':
      return explainServer(operation, errnoName);
  }
}

function explainService(service: IpvsService, errnoName: string): Explanation | undefined {
  switch (errnoName) {
    case 'ENOENT':
      return missingModule(service);
    case 'EEXIST':
      return {
        why: 'the service exists already',
        hint: 'Another program has added it; the next audit takes it over.',
      };
    case 'ESRCH':
      return {
        why: 'there is no such service',
        hint: 'Another program has deleted it; the next audit adds it again.',
      };
    case 'EINVAL':
      return invalidService(service);
    default:
      return undefined;
  }
}

function missingModule({ scheduler, persistenceEngine: engine }: IpvsService): Explanation {
  if (scheduler === '') {
    return { why: 'no scheduler was named', hint: 'Name one, for example wlc.' };
  }
  const orEngine = engine === undefined ? '' : ` or persistence engine ${engine}`;
  const andModule = engine === undefined ? '' : `, \`modprobe ip_vs_pe_${engine}\``;
  return {
    why: `the kernel has no scheduler ${scheduler}${orEngine}`,
    hint: `Load it with \`modprobe ip_vs_${scheduler}\`${andModule}, or choose another.`,
  };
}

function invalidService(service: IpvsService): Explanation {
  const { identity, scheduler, persistence, persistenceEngine } = service;
  if (scheduler.length > schedulerLengthMax) {
    return {
      why: `the name of the scheduler has ${scheduler.length} characters`,
      hint: `A scheduler has at most ${schedulerLengthMax}.`,
    };
  }
  if (persistenceEngine !== undefined && persistenceEngine.length > engineLengthMax) {
    return {
      why: `the name of the persistence engine has ${persistenceEngine.length} characters`,
      hint: `A persistence engine has at most ${engineLengthMax}.`,
    };
  }
  const length = persistence?.prefixLength;
  if (length !== undefined && identityFamily(identity) === 6 && (length < 1 || length > 128)) {
    return {
      why: `clients cannot be told apart by ${length} bits of an IPv6 address`,
      hint: 'The prefix length of persistence is 1 to 128 for IPv6.',
    };
  }
  return {
    why: 'the kernel does not take these settings',
    hint: 'Check scheduler name, persistence and its prefix length (IPv6: 1 to 128).',
  };
}

function explainServer(operation: ServerOperation, errnoName: string): Explanation | undefined {
  switch (errnoName) {
    case 'EEXIST':
      return {
        why: 'the server exists already',
        hint: 'Another program has added it; the next audit takes it over.',
      };
    case 'ESRCH':
      return {
        why: 'its service does not exist',
        hint: 'Another program has deleted it, or adding it was refused as well.',
      };
    case 'ENOENT':
      return {
        why: 'there is no such server',
        hint: 'Another program has deleted it; the next audit adds it again.',
      };
    case 'ERANGE':
      return operation.kind === 'delete-server' ? undefined : outOfRange(operation.server);
    case 'EINVAL':
      return operation.kind === 'delete-server'
        ? { why: 'the kernel does not take this address' }
        : invalidServer(operation.kind, operation.server, identityFamily(operation.service));
    default:
      return undefined;
  }
}

function outOfRange({ weight, lowerThreshold, upperThreshold }: IpvsServer): Explanation {
  if (weight < 0 || weight > signedMax) {
    return { why: `the weight ${weight} is out of range`, hint: `It is 0 to ${signedMax}.` };
  }
  return {
    why: `the lower threshold ${lowerThreshold} is above the upper one, ${upperThreshold}`,
    hint: 'Raise the upper one. 0 is no limit, and then there is no lower one either.',
  };
}

/** In the order in which the kernel looks (ip_vs_ctl.c: the request, the families, the address). */
function invalidServer(
  kind: 'add-server' | 'edit-server',
  server: IpvsServer,
  serviceFamily: IpFamily,
): Explanation {
  const { address, forwarding, encapsulation, upperThreshold, lowerThreshold } = server;
  const family = familyOf(address);
  if (family !== serviceFamily) {
    const why = `the server is IPv${family} and the service IPv${serviceFamily}`;
    if (forwarding !== 'tunnel') {
      return { why, hint: 'A server of the other family needs forwarding method tunnel.' };
    }
    return {
      why: `${why}, and a sync daemon runs`,
      hint:
        'The kernel cannot sync such connections: stop the daemons (`tandem ipvs --stop-daemon`, ' +
        '`connectionSync.mode: off`), or use servers of one family.',
    };
  }
  if (encapsulation?.type === 'gue' && encapsulation.port === 0) {
    return {
      why: 'a GUE tunnel needs a port',
      hint: 'Give the UDP port at which the server takes the packets in.',
    };
  }
  if (upperThreshold > signedMax || lowerThreshold > signedMax) {
    return { why: 'a threshold is out of range', hint: `Thresholds are 0 to ${signedMax}.` };
  }
  if (kind === 'add-server') return invalidAddress(server);
  return {
    why: 'the kernel does not take these settings',
    hint: 'Check the forwarding method, the tunnel and the thresholds.',
  };
}

/** An address is looked up in the routing table; what is not unicast there cannot be a server. */
function invalidAddress({ address }: IpvsServer): Explanation {
  const hint = "Use the server's own address.";
  if (isMulticastAddress(address)) return { why: 'the address is a multicast one', hint };
  if (isLinkLocal(address)) {
    return {
      why: 'the address is link-local',
      hint: 'IPVS does not know on which link; use a global or unique local address.',
    };
  }
  if (address === '0.0.0.0' || address === '::') {
    return { why: 'the address stands for every address', hint };
  }
  return {
    why: 'the address is no unicast address here',
    hint: `Look with \`ip route get ${address}\`: it may be the broadcast address of a network.`,
  };
}

/** Why a sync daemon was not started; `undefined` when only the errno is known. */
export function explainDaemonStart(daemon: SyncDaemon, errnoName: string): Explanation | undefined {
  switch (errnoName) {
    case 'ENODEV':
      return {
        why: `there is no interface ${daemon.interface}`,
        hint: 'List the interfaces with `ip link`, then correct `connectionSync.interface`.',
      };
    case 'EEXIST':
      return {
        why: `a ${daemon.role} sync daemon runs already`,
        hint: 'Stop it with `ipvsadm --stop-daemon`, or leave it to the next audit.',
      };
    case 'ENETUNREACH':
      return unreachableGroup(daemon);
    case 'EINVAL':
      return invalidDaemon(daemon);
    default:
      return undefined;
  }
}

function unreachableGroup({ group, interface: name }: SyncDaemon): Explanation {
  const why = 'the multicast group cannot be reached';
  if (name === 'lo' && group !== undefined && familyOf(group) === 6) {
    return { why, hint: 'There is no IPv6 multicast on lo: use an IPv4 group there.' };
  }
  return { why, hint: `Check that ${name} is up.` };
}

function invalidDaemon({ group }: SyncDaemon): Explanation {
  if (group !== undefined && !isMulticastAddress(group)) {
    return {
      why: `the group ${group} is no multicast address`,
      hint: 'Take one of 224.0.0.0/4 or ff00::/8; the kernel uses 224.0.0.81 unless told.',
    };
  }
  return {
    why: 'the kernel does not take these settings',
    hint:
      'No service may have a server of the other address family while a sync daemon runs: list ' +
      'them with `tandem ipvs -Ln`.',
  };
}

/** Why timeouts were not set; `undefined` when only the errno is known. */
export function explainTimeouts(
  timeouts: Partial<IpvsTimeouts>,
  errnoName: string,
): Explanation | undefined {
  if (errnoName !== 'EINVAL') return undefined;
  const secondsMax = Math.floor(signedMax / ticksPerSecondMax);
  const names = { tcpSeconds: 'tcp', tcpFinSeconds: 'tcpfin', udpSeconds: 'udp' } as const;
  const large = (['tcpSeconds', 'tcpFinSeconds', 'udpSeconds'] as const).find(
    (key) => (timeouts[key] ?? 0) > secondsMax,
  );
  if (large === undefined) return { why: 'a timeout is out of its range' };
  return {
    why: `the ${names[large]} timeout of ${timeouts[large]} s is more than the kernel can count`,
    hint: `Every kernel takes 1 to ${secondsMax} s; 0 leaves a timeout as it is.`,
  };
}
