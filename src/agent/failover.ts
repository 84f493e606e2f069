/**
 * What the agent does on `tandem failover`: it lets the election offer the place, waits for what
 * comes of it, and tells who has the addresses now. They stay here until somebody takes them.
 *
 * A Backup is silent in VRRP, so whether there is one shows only when the place is offered.
 */
import type { FailoverRequest, FailoverResult } from '../api/failoverModel.js';
import { formatDurationMs } from '../config/duration.js';
import { TandemError } from '../errors.js';
import type { ToVrrp, VirtualRouterReport } from '../vrrp/protocol.js';

/** An offer ends after less than four intervals; this is for the thread and its report. */
const answerSlackMs = 3_000;

/** How long the peer may take to know all connections, in milliseconds. */
const syncWaitMaxMs = 60_000;

const ownerPriority = 255;

/** What is needed of the election. */
export interface FailoverElection {
  readonly reports: readonly VirtualRouterReport[];
  /** Names of the routers that move with a router, itself included. */
  movingWith(router: string): readonly string[];
  stepDown(request: Omit<Extract<ToVrrp, { type: 'step-down' }>, 'type'>): void;
}

/** Carries out one request after the other. */
export class Failover {
  readonly #election: FailoverElection;
  readonly #isInSync: () => boolean | undefined;
  readonly #syncWaitMs: number;
  #onReport: () => void = () => undefined;
  #isBusy = false;

  /** `isInSync`: whether the peer knows all connections; `undefined` where nobody can tell. */
  constructor(
    election: FailoverElection,
    isInSync: () => boolean | undefined = () => undefined,
    syncWaitMs = syncWaitMaxMs,
  ) {
    this.#election = election;
    this.#isInSync = isInSync;
    this.#syncWaitMs = syncWaitMs;
  }

  /** New reports of the election are at hand. */
  takeReports(): void {
    this.#onReport();
  }

  /** Throws `AGENT_REFUSED` when there is nothing to step down from, or nobody takes over. */
  async request(request: FailoverRequest): Promise<FailoverResult> {
    if (this.#isBusy) {
      throw new TandemError('AGENT_REFUSED', 'another failover is still going on');
    }
    this.#isBusy = true;
    try {
      return request.forMs === 0 ? this.#takeBack(request) : await this.#stepDown(request);
    } finally {
      this.#isBusy = false;
    }
  }

  #takeBack(request: FailoverRequest): FailoverResult {
    const names = new Set(this.#targets(request).map(({ name }) => name));
    this.#election.stepDown(request);
    const which = [...names].join(', ');
    return {
      message: `takes part in the election as before: ${which}`,
      routers: [],
      untilUnixMs: null,
    };
  }

  async #stepDown(request: FailoverRequest): Promise<FailoverResult> {
    const active = this.#targets(request).filter(({ state }) => state === 'active');
    refuseNothing(active, request);
    refuseOwners(active);
    if (!request.force) await this.#synced();
    const untilUnixMs = Date.now() + request.forMs;
    this.#election.stepDown(request);
    const names = active.map(({ name }) => name);
    await this.#settled(names, offerMaxMs(active) + answerSlackMs);
    const after = this.#election.reports.filter(({ name }) => names.includes(name));
    const routers = after.map(({ name, state, active: seen }) => ({
      name,
      takenBy: state === 'active' || seen === null || seen.self ? null : seen.address,
    }));
    const kept = after.filter(({ state }) => state === 'active').map(({ name }) => name);
    if (kept.length > 0 && !request.force) throw nobodyTookOver(kept);
    const time = formatDurationMs(request.forMs);
    const message =
      kept.length === 0
        ? `stepped down for ${time}: ${routers.map(describe).join(', ')}`
        : `nobody has taken over yet: ${kept.join(', ')}; the lowest priority for ${time}`;
    return { message, routers, untilUnixMs };
  }

  /** Waits until the peer knows the connections that it takes over. */
  async #synced(): Promise<void> {
    const deadline = performance.now() + this.#syncWaitMs;
    while (this.#isInSync() === false) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw notSynced();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#onReport = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#onReport = () => undefined;
    }
  }

  #targets({ router }: FailoverRequest): readonly VirtualRouterReport[] {
    const { reports } = this.#election;
    if (router === undefined) return reports;
    const names = this.#election.movingWith(router);
    if (names.length > 0) return reports.filter(({ name }) => names.includes(name));
    throw new TandemError('AGENT_REFUSED', `there is no virtual router ${router}`, {
      hint: `There are: ${reports.map(({ name }) => name).join(', ') || 'none'}.`,
    });
  }

  /** Waits until no router offers its place any more: it is taken, or nobody wanted it. */
  #settled(names: readonly string[], timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#onReport = () => undefined;
        reject(new TandemError('AGENT_REFUSED', 'the election did not answer in time'));
      }, timeoutMs);
      let hasBegun = false;
      this.#onReport = () => {
        const mine = this.#election.reports.filter(({ name }) => names.includes(name));
        const offers = mine.some(({ stepDown }) => stepDown?.offering === true);
        hasBegun ||= offers || mine.some(({ state }) => state !== 'active');
        if (offers || !hasBegun) return;
        clearTimeout(timer);
        this.#onReport = () => undefined;
        resolve();
      };
    });
  }
}

function refuseNothing(active: readonly VirtualRouterReport[], { router }: FailoverRequest): void {
  if (active.length > 0) return;
  const what = router === undefined ? 'no virtual router is' : `${router} is not`;
  throw new TandemError('AGENT_REFUSED', `${what} Active on this node`, {
    hint: 'Ask the director that is: `tandem status` names it.',
  });
}

function refuseOwners(active: readonly VirtualRouterReport[]): void {
  const owner = active.find(({ priority }) => priority.configured === ownerPriority);
  if (owner === undefined) return;
  throw new TandemError('AGENT_REFUSED', `${owner.name} belongs to this node (priority 255)`, {
    hint: 'An owner always takes its addresses back; give it a priority of 254 or less.',
  });
}

function notSynced(): TandemError {
  return new TandemError('AGENT_REFUSED', 'the peer does not know all connections', {
    hint: '`tandem sync status` says why. --force steps down all the same; clients may be cut off.',
  });
}

function nobodyTookOver(names: readonly string[]): TandemError {
  return new TandemError('AGENT_REFUSED', `no peer was heard to take over ${names.join(', ')}`, {
    hint: 'This node stays Active. --force lowers its priority all the same.',
  });
}

function offerMaxMs(active: readonly VirtualRouterReport[]): number {
  const silentIntervals = 4;
  const slowestCs = Math.max(...active.map((report) => report.activeAdvertIntervalCs));
  return silentIntervals * slowestCs * 10;
}

function describe({ name, takenBy }: FailoverResult['routers'][number]): string {
  return takenBy === null ? `${name} left` : `${name} is with ${takenBy}`;
}
