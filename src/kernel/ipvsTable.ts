/** Client of the kernel's IPVS table over generic netlink. */
import { TandemError } from '../errors.js';
import {
  decodeDaemonMessage,
  decodeInfoMessage,
  decodeServerMessage,
  decodeServiceMessage,
  decodeTimeoutsMessage,
  encodeDaemonStart,
  encodeDaemonStop,
  encodeDaemonsQuery,
  encodeFlush,
  encodeInfoQuery,
  encodeServersQuery,
  encodeServicesQuery,
  encodeTimeouts,
  encodeTimeoutsQuery,
  encodeZero,
  type IpvsRequest,
} from '../wire/ipvs.js';
import { ipvsFamily } from '../wire/ipvsAttributes.js';
import type {
  IpvsInfo,
  IpvsOperation,
  IpvsTimeouts,
  ListedServer,
  ListedService,
  ServiceIdentity,
  SyncDaemon,
  SyncDaemonRole,
} from '../wire/ipvsModel.js';
import { OperationEncoder } from '../wire/ipvsOperations.js';
import { identityFamily } from '../wire/ipvsService.js';
import { describeOperation, formatServiceIdentity } from '../wire/ipvsText.js';
import { WireError } from '../wire/wireError.js';
import {
  createGenericNetlink,
  type ExchangeOutcome,
  type GenericNetlink,
  type GenericNetlinkOptions,
  type GenericRequest,
  type LossCause,
} from './genericNetlink.js';
import { type LostOperationView, operationHolds } from './ipvsLostOperation.js';
import {
  answerLost,
  daemonStartRefused,
  ipvsUnavailable,
  operationRefused,
  requestRefused,
  timeoutsRefused,
  valueRefused,
} from './ipvsRefusal.js';

/** What became of one operation: nothing to say when it is done, else why it is not. */
export type OperationResult = TandemError | undefined;

/**
 * The kernel may never acknowledge that a daemon stopped (see {@link IpvsTable.stopDaemon}). If it
 * does, the answer is there when the send returns, so that a short wait is enough.
 */
const daemonStopTimeoutMs = 250;

/**
 * Opens the IPVS table of the network namespace of the calling thread; the kernel loads its module
 * for it. Throws {@link TandemError} IPVS_UNAVAILABLE when the kernel has no IPVS, and PERMISSION
 * when this process may not use it.
 */
export async function openIpvsTable(options: GenericNetlinkOptions = {}): Promise<IpvsTable> {
  const table = new IpvsTable(createGenericNetlink(options));
  try {
    // The lookup needs no privilege; only a request tells whether this process may do anything.
    await table.info();
    return table;
  } catch (error) {
    table.close();
    throw error;
  }
}

/**
 * The IPVS table of one network namespace. Every method throws {@link TandemError}: PERMISSION,
 * IPVS_UNAVAILABLE, IPVS_REFUSED, NETLINK_TIMEOUT, or SYSTEM_CALL when the socket itself fails.
 */
export class IpvsTable {
  readonly #netlink: GenericNetlink;
  #familyId: number | undefined;
  #undecodableEntries = 0;

  /** Use {@link openIpvsTable}. */
  constructor(netlink: GenericNetlink) {
    this.#netlink = netlink;
  }

  /**
   * How many dumped entries had no place in the model and were left out, since the table was
   * opened. Nothing that ipvsadm or this program writes is among them.
   */
  get undecodableEntries(): number {
    return this.#undecodableEntries;
  }

  /** Version of the kernel's IPVS and size of its connection table. */
  async info(): Promise<IpvsInfo> {
    const what = 'ask for the version of IPVS';
    return this.#single(encodeInfoQuery(), what, decodeInfoMessage);
  }

  /** All services of the namespace, in the kernel's order. */
  async services(): Promise<readonly ListedService[]> {
    return this.#dumpEach(encodeServicesQuery(), 'list the services', decodeServiceMessage);
  }

  /** The servers of a service, newest first; none when the service does not exist. */
  async servers(service: ServiceIdentity): Promise<readonly ListedServer[]> {
    const what = `list the servers of ${formatServiceIdentity(service)}`;
    const family = identityFamily(service);
    return this.#dumpEach(encodeServersQuery(service), what, (payload) =>
      decodeServerMessage(payload, family),
    );
  }

  /**
   * Carries out changes in order, many in one send. The result has one entry for each: a change
   * that is refused does not stop those after it. When an answer was lost, the table is read to
   * learn whether its change was made.
   */
  async apply(operations: readonly IpvsOperation[]): Promise<readonly OperationResult[]> {
    const results: OperationResult[] = operations.map(() => undefined);
    if (operations.length === 0) return results;
    const positions: number[] = [];
    const requests = encodeEach(operations, positions, results);
    const outcomes = await this.#exchange(requests, 'change the table');
    const lost = new Map<number, LossCause>();
    for (const [index, outcome] of outcomes.entries()) {
      const position = positions[index] ?? -1;
      const operation = operations[position];
      if (operation === undefined || outcome.kind === 'done') continue;
      if (outcome.kind === 'lost') lost.set(position, outcome.cause);
      else results[position] = operationRefused(operation, outcome.errnoName);
    }
    await this.#settleLost(operations, lost, results);
    return results;
  }

  /** The synchronisation daemons that run, the master first. */
  async daemons(): Promise<readonly SyncDaemon[]> {
    return this.#dumpEach(encodeDaemonsQuery(), 'list the sync daemons', decodeDaemonMessage);
  }

  /** Starts a synchronisation daemon. */
  async startDaemon(daemon: SyncDaemon): Promise<void> {
    const what = `start the ${daemon.role} sync daemon on ${daemon.interface}`;
    const request = encodeFor(what, () => encodeDaemonStart(daemon));
    const [outcome] = await this.#exchange([request], what);
    if (outcome?.kind === 'refused') throw daemonStartRefused(daemon, outcome.errnoName);
    if (outcome?.kind === 'lost') throw answerLost(what, outcome.cause);
  }

  /**
   * Stops the synchronisation daemon of a role; one that does not run is stopped already.
   *
   * The kernel never acknowledges the stop of a daemon whose thread had not yet run: the stop then
   * ends in EINTR, for which netlink sends nothing. So a missing answer is settled by looking.
   */
  async stopDaemon(role: SyncDaemonRole): Promise<void> {
    const what = `stop the ${role} sync daemon`;
    const [outcome] = await this.#exchange([encodeDaemonStop(role)], what, daemonStopTimeoutMs);
    if (outcome?.kind === 'done') return;
    if (outcome?.kind === 'refused') {
      if (outcome.errnoName === 'ESRCH') return;
      throw requestRefused(what, outcome.errnoName);
    }
    const running = await this.daemons();
    if (running.some((daemon) => daemon.role === role)) throw answerLost(what, 'timeout');
  }

  /** How long idle connections are remembered. */
  async timeouts(): Promise<IpvsTimeouts> {
    const what = 'ask for the connection timeouts';
    return this.#single(encodeTimeoutsQuery(), what, decodeTimeoutsMessage);
  }

  /** Sets connection timeouts; those that are absent or 0 stay. */
  async setTimeouts(timeouts: Partial<IpvsTimeouts>): Promise<void> {
    const what = 'set the connection timeouts';
    const request = encodeFor(what, () => encodeTimeouts(timeouts));
    const [outcome] = await this.#exchange([request], what);
    if (outcome?.kind === 'refused') throw timeoutsRefused(timeouts, outcome.errnoName);
    if (outcome?.kind === 'lost') throw answerLost(what, outcome.cause);
  }

  /** Sets the counters of a service and its servers to zero, or those of everything. */
  async zero(service?: ServiceIdentity): Promise<void> {
    const of = service === undefined ? 'everything' : formatServiceIdentity(service);
    await this.#command(encodeZero(service), `zero the counters of ${of}`);
  }

  /**
   * Deletes every service. Never on a director at work: without a service the kernel resets the
   * connections that it had.
   */
  async flush(): Promise<void> {
    await this.#command(encodeFlush(), 'clear the table');
  }

  /** Closes the socket. The kernel's table stays as it is. */
  close(): void {
    this.#netlink.close();
  }

  /** Answers that were lost say nothing; the table itself says whether the change was made. */
  async #settleLost(
    operations: readonly IpvsOperation[],
    lost: ReadonlyMap<number, LossCause>,
    results: OperationResult[],
  ): Promise<void> {
    if (lost.size === 0) return;
    const services = await this.services();
    const view: LostOperationView = {
      services: new Map(services.map((entry) => [formatServiceIdentity(entry.identity), entry])),
      servers: new Map(),
    };
    for (const [position, cause] of lost) {
      const operation = operations[position];
      if (operation === undefined) continue;
      if ('server' in operation) {
        const key = formatServiceIdentity(operation.service);
        if (!view.servers.has(key)) view.servers.set(key, await this.servers(operation.service));
      }
      if (!operationHolds(operation, view)) {
        results[position] = answerLost(describeOperation(operation), cause);
      }
    }
  }

  async #command(request: IpvsRequest, what: string): Promise<void> {
    const [outcome] = await this.#exchange([request], what);
    if (outcome?.kind === 'refused') throw requestRefused(what, outcome.errnoName);
    if (outcome?.kind === 'lost') throw answerLost(what, outcome.cause);
  }

  async #single<Answer>(
    request: IpvsRequest,
    what: string,
    decode: (payload: Uint8Array) => Answer,
  ): Promise<Answer> {
    const [answer] = await this.#dump(request, what);
    if (answer === undefined) throw answerLost(what, 'overrun');
    try {
      return decode(answer);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new TandemError('SYSTEM_CALL', `cannot ${what}: ${error.message}`, { cause: error });
    }
  }

  /** All answers to a question. One whose answers were lost is asked once more. */
  async #dump(
    request: GenericRequest,
    what: string,
    onStart?: () => void,
  ): Promise<readonly Uint8Array[]> {
    const first = await this.#ask(request, what);
    if (first.kind === 'done') return first.answers;
    // The number of the family changes when its module is unloaded and loaded again.
    if (first.kind === 'refused') {
      if (first.errnoName !== 'ENOENT') throw requestRefused(what, first.errnoName);
      this.#familyId = undefined;
    }
    onStart?.();
    const second = await this.#ask(request, what);
    if (second.kind === 'done') return second.answers;
    if (second.kind === 'refused') throw requestRefused(what, second.errnoName);
    throw answerLost(what, second.cause);
  }

  async #ask(request: GenericRequest, what: string): Promise<ExchangeOutcome> {
    const [outcome] = await this.#exchange([request], what);
    return outcome ?? { kind: 'lost', cause: 'timeout' };
  }

  async #exchange(
    requests: Iterable<GenericRequest>,
    what: string,
    timeoutMs?: number,
  ): Promise<readonly ExchangeOutcome[]> {
    this.#familyId ??= await this.#netlink.resolveFamily(ipvsFamily.name);
    if (this.#familyId === undefined) throw ipvsUnavailable(what);
    return this.#netlink.exchange(
      this.#familyId,
      ipvsFamily.version,
      requests,
      timeoutMs === undefined ? {} : { timeoutMs },
    );
  }

  /**
   * The entries of a dump, read as they come. It holds what every program wrote; one entry without
   * words must not hide the others.
   */
  async #dumpEach<Entry>(
    request: IpvsRequest,
    what: string,
    decode: (payload: Uint8Array) => Entry,
  ): Promise<readonly Entry[]> {
    let entries: Entry[] = [];
    let undecodable = 0;
    const onAnswer = (payload: Uint8Array): void => {
      try {
        entries.push(decode(payload));
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        undecodable += 1;
      }
    };
    const onStart = (): void => {
      entries = [];
      undecodable = 0;
    };
    await this.#dump({ ...request, onAnswer }, what, onStart);
    this.#undecodableEntries += undecodable;
    return entries;
  }
}

/**
 * The requests of changes, each made when it is its turn to be sent, so that memory holds those of
 * one send. Notes the position of each, and the refusal of a change that has no request.
 */
function* encodeEach(
  operations: readonly IpvsOperation[],
  positions: number[],
  results: OperationResult[],
): Generator<IpvsRequest> {
  const encoder = new OperationEncoder();
  for (const [position, operation] of operations.entries()) {
    let request: IpvsRequest;
    try {
      request = encoder.encode(operation);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      results[position] = valueRefused(describeOperation(operation), error);
      continue;
    }
    positions.push(position);
    yield request;
  }
}

function encodeFor(what: string, encode: () => IpvsRequest): IpvsRequest {
  try {
    return encode();
  } catch (error) {
    if (error instanceof WireError) throw valueRefused(what, error);
    throw error;
  }
}
