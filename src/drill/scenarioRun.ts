/** One run of a scenario in a lab, from the first packet to the observation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchStatus } from '../api/client.js';
import { TandemError } from '../errors.js';
import { nowUs } from '../kernel/monotonicClock.js';
import { AnswerWatch } from './answerWatch.js';
import { Capture } from './capture.js';
import type { DrillLimits } from './drillLimits.js';
import { carryOut } from './faults.js';
import { type ProcConnection, readProcConnections } from './ipvsProcTable.js';
import type { Lab } from './lab.js';
import type { LoadProgress, LoadResult } from './loadProtocol.js';
import { LoadSession } from './loadSession.js';
import {
  isDownloadSynced,
  isTemplateSynced,
  type Observation,
  type ObservedEvent,
} from './observation.js';
import { isActive, type PairRoles, startPair } from './pairReadiness.js';
import type { DrillReporter } from './reporter.js';
import type { Scenario } from './scenario.js';
import { demand, type WaitOptions, waitFor } from './waiting.js';
import { readWeights, type WeightWatch } from './weights.js';

/** How often the progress is asked for and shown, in milliseconds. */
const progressIntervalMs = 250;
/** How often weights are read while one is awaited: the resolution of the time to weight 0. */
const weightIntervalMs = 5;
/** Requests that must have been answered before the fault, so that shares mean something. */
const warmUpAnswersMin = 90;
/** How often every turn of the scheduler is taken before the load. */
const turnRounds = 2;
/** How long the standby may take to know all connections; the promise says whether it did. */
const syncTimeoutMs = 15_000;
/** How long clients may take to have answers again after the takeover. */
const recoveryTimeoutMs = 25_000;

/** Runs a scenario in a lab that was just made; the lab is left as the scenario left it. */
export async function runScenarioIn(
  lab: Lab,
  scenario: Scenario,
  limits: DrillLimits,
  reporter: DrillReporter,
): Promise<Observation> {
  const run = new ScenarioRun(lab, scenario, limits, reporter);
  try {
    return await run.run();
  } finally {
    await run.stop();
  }
}

class ScenarioRun {
  readonly #lab: Lab;
  readonly #scenario: Scenario;
  readonly #limits: DrillLimits;
  readonly #reporter: DrillReporter;
  readonly #events: ObservedEvent[] = [];
  readonly #load: LoadSession;
  readonly #startedUnixMs = Date.now();
  #capture: Capture | undefined;

  constructor(lab: Lab, scenario: Scenario, limits: DrillLimits, reporter: DrillReporter) {
    this.#lab = lab;
    this.#scenario = scenario;
    this.#limits = limits;
    this.#reporter = reporter;
    this.#load = new LoadSession(lab, scenario.load, limits);
  }

  async run(): Promise<Observation> {
    const { stepTimeoutMs } = this.#limits;
    await this.#lab.startServers();
    this.#reporter.step(`real servers up: ${this.#serverNames().join(', ')}`);
    this.#capture = new Capture(this.#lab.network, this.#lab.topology.serviceNetwork);
    this.#reporter.progress('starting the two agents');
    const roles = await startPair(this.#lab, stepTimeoutMs);
    this.#reporter.step(`agents up: ${roles.active} is Active, ${roles.standby} is Backup`);
    const { turns, serverAnswers } = await this.#takeTurns();
    await this.#startLoad();
    const loadFromUs = nowUs();
    const standbyConnections = await this.#warmUp(roles);
    const faultUs = await this.#breakThings(roles);
    const takenOver = this.#scenario.effect !== 'server-lost';
    const activeAfter = takenOver ? roles.standby : roles.active;
    const watch = takenOver ? {} : await this.#watchServer(roles.active, faultUs);
    if (takenOver) await this.#awaitTakeover(roles.standby, faultUs);
    await this.#awaitClients(standbyConnections);
    await this.#settle();
    const endUs = nowUs();
    const serversAtEnd = readWeights(this.#lab, activeAfter);
    const addressesAtEnd = this.#reachableAddresses();
    const frames = this.#capture.stop();
    const framesDropped = this.#capture.dropped;
    const load = await this.#load.finish();
    this.#capture = undefined;
    return {
      scenario: this.#scenario,
      topology: this.#lab.topology,
      limits: withStall(this.#limits, load),
      startedUnixMs: this.#startedUnixMs,
      durationMs: Date.now() - this.#startedUnixMs,
      activeBefore: roles.active,
      activeAfter,
      activeAfterMacAddress: this.#lab.network.macAddress(
        activeAfter,
        this.#lab.topology.serviceNetwork,
      ),
      turns,
      serverAnswers,
      loadFromUs,
      faultUs,
      endUs,
      weightZeroUs: watch.zeroUs,
      healedUs: watch.healedUs,
      weightBackUs: watch.backUs,
      standbyConnections,
      serversAtEnd,
      addressesAtEnd,
      load,
      frames,
      framesDropped,
      events: this.#events,
    };
  }

  async stop(): Promise<void> {
    this.#capture?.stop();
    await this.#load.stop();
  }

  /** Asks one request after the other while there is no other load, and watches who answers. */
  async #takeTurns(): Promise<Pick<Observation, 'turns' | 'serverAnswers'>> {
    const round = this.#lab.topology.servers.reduce((sum, { weight }) => sum + weight, 0);
    const watch = new AnswerWatch(this.#lab);
    try {
      const turns = await this.#load.takeTurns(round * turnRounds);
      return { turns, serverAnswers: watch.stop() };
    } finally {
      watch.stop();
    }
  }

  async #startLoad(): Promise<void> {
    const { persistentClients, downloads } = this.#scenario.load;
    await this.#load.start();
    this.#reporter.step(
      `load: a request every ${this.#limits.probeIntervalMs} ms, ${persistentClients} persistent ` +
        `clients, ${downloads} downloads`,
    );
  }

  /** Waits for answers to everybody, then for the standby to know what it must take over. */
  async #warmUp({ standby }: PairRoles): Promise<readonly ProcConnection[]> {
    const { persistentClients, downloads } = this.#scenario.load;
    await demand(
      'the load was answered',
      async () => {
        const progress = await this.#load.progress();
        const everybody =
          progress.answered >= warmUpAnswersMin &&
          progress.persistentAnswered === persistentClients &&
          progress.downloadsFlowing === downloads &&
          Object.keys(progress.answersPerServer).length === this.#lab.topology.servers.length;
        return everybody ? true : undefined;
      },
      this.#patience('warming up', this.#limits.stepTimeoutMs),
    );
    let known: readonly ProcConnection[] = [];
    await waitFor(
      async () => {
        const progress = await this.#load.progress();
        known = this.#lab.network.namespace(standby).run(readProcConnections);
        return this.#countSynced(known, progress) === persistentClients + downloads
          ? true
          : undefined;
      },
      this.#patience('waiting for connection sync', syncTimeoutMs),
    );
    const synced = this.#countSynced(known, await this.#load.progress());
    this.#reporter.step(
      `${standby} knows ${synced} of ${persistentClients + downloads} clients and downloads`,
    );
    return known;
  }

  #countSynced(known: readonly ProcConnection[], progress: LoadProgress): number {
    const clients = this.#load.settings.persistent.clientAddresses;
    return (
      clients.filter((client) => isTemplateSynced(known, client)).length +
      progress.downloads.filter((download) => isDownloadSynced(known, download)).length
    );
  }

  async #breakThings({ active }: PairRoles): Promise<number> {
    let faultUs: number | undefined;
    for (const action of this.#scenario.fault) {
      const { what, atUs } = await carryOut(this.#lab, action, active, this.#limits.stepTimeoutMs);
      faultUs ??= atUs;
      this.#note(atUs, what);
    }
    return faultUs ?? nowUs();
  }

  /** Waits for weight 0 everywhere, lets the load run on, heals the server, waits for weights. */
  async #watchServer(active: string, faultUs: number): Promise<WeightWatch> {
    const action = this.#scenario.fault.find(({ kind }) => kind === 'server');
    const server = action?.kind === 'server' ? action.server : '';
    const { address, weight } = this.#serverOf(server);
    const awaitWeight = (wanted: number): Promise<number | undefined> =>
      waitFor(
        () => {
          const rows = readWeights(this.#lab, active).filter((row) => row.address === address);
          const all = rows.length === this.#lab.topology.services.length;
          return all && rows.every((row) => row.weight === wanted) ? nowUs() : undefined;
        },
        { timeoutMs: this.#limits.stepTimeoutMs, intervalMs: weightIntervalMs },
      );
    this.#reporter.progress(`waiting for weight 0 of ${server}`);
    const zeroUs = await awaitWeight(0);
    if (zeroUs === undefined) return {};
    this.#note(zeroUs, `${server} has weight 0 after ${Math.round((zeroUs - faultUs) / 1_000)} ms`);
    await this.#settle();
    const healedUs = await this.#lab.setServer(server, 'healthy');
    this.#note(healedUs, `real server ${server}: healthy`);
    const backUs = await awaitWeight(weight);
    if (backUs !== undefined) this.#note(backUs, `${server} has its weight ${weight} again`);
    return { zeroUs, healedUs, ...(backUs === undefined ? {} : { backUs }) };
  }

  async #awaitTakeover(standby: string, faultUs: number): Promise<void> {
    const { socketPath } = this.#lab.agent(standby);
    const patience = this.#patience('waiting for the takeover', this.#limits.stepTimeoutMs);
    const took = await waitFor(async () => {
      const status = await fetchStatus(socketPath);
      await this.#load.progress();
      return isActive(status) ? status : undefined;
    }, patience);
    for (const router of took?.virtualRouters ?? []) {
      // The agent tells Unix time; the difference of the two clocks does not change here.
      const atUs = nowUs() - (Date.now() - router.sinceUnixMs) * 1_000;
      this.#note(atUs, `${standby} is Active for ${router.name} (${router.reason})`);
    }
    const answeredUs = await waitFor(
      async () => {
        const { lastAnswerUs } = await this.#load.progress();
        return lastAnswerUs !== null && took !== undefined && lastAnswerUs > faultUs
          ? lastAnswerUs
          : undefined;
      },
      this.#patience('waiting for answers', recoveryTimeoutMs),
    );
    if (answeredUs === undefined) this.#note(nowUs(), 'no answer came after the fault');
  }

  /** Waits until downloads that can go on do, and every client was answered again. */
  async #awaitClients(known: readonly ProcConnection[]): Promise<void> {
    const sinceUs = nowUs();
    const killed = this.#scenario.fault.find(
      (action) => action.kind === 'server' && action.behaviour === 'killed',
    );
    await waitFor(
      async () => {
        const progress = await this.#load.progress();
        const able = progress.downloads.filter((download) =>
          killed?.kind === 'server'
            ? download.server !== killed.server
            : this.#scenario.effect === 'server-lost' || isDownloadSynced(known, download),
        );
        const answered = progress.persistentLastAnswersUs.every(
          (atUs) => atUs !== null && atUs > sinceUs,
        );
        return answered && progress.downloadsFlowing >= able.length ? true : undefined;
      },
      this.#patience('waiting for downloads and persistent clients', recoveryTimeoutMs),
    );
  }

  /** Lets the load run on for a while, so that late consequences are seen. */
  async #settle(): Promise<void> {
    const untilUs = nowUs() + this.#limits.settleMs * 1_000;
    while (nowUs() < untilUs) {
      await sleep(progressIntervalMs);
      await this.#load.progress();
      this.#showProgress('observing');
    }
  }

  #reachableAddresses(): Observation['addressesAtEnd'] {
    return new Map(
      [...this.#lab.agents.keys()]
        .filter((director) => this.#lab.network.isConnected(director))
        .map((director) => [
          director,
          ([4, 6] as const).flatMap((family) =>
            this.#lab.network.addresses(director, family).map(({ address }) => address),
          ),
        ]),
    );
  }

  #patience(what: string, timeoutMs: number): WaitOptions {
    return {
      timeoutMs,
      intervalMs: progressIntervalMs,
      progress: () => what,
      onProgress: (text) => this.#showProgress(text),
    };
  }

  #showProgress(what: string): void {
    this.#reporter.progress(`${what}: ${this.#load.summary}`);
  }

  #note(atUs: number, what: string): void {
    this.#events.push({ atUs, what });
    this.#reporter.step(what);
  }

  #serverNames(): readonly string[] {
    return this.#lab.topology.servers.map(({ node }) => node);
  }

  #serverOf(node: string): { address: string; weight: number } {
    const server = this.#lab.topology.servers.find((candidate) => candidate.node === node);
    if (server === undefined) throw new TandemError('INTERNAL', `no real server ${node}`);
    return server;
  }
}

/** What the machine stood still is nobody's fault: every bound allows for it. */
function withStall(limits: DrillLimits, { stalledUs }: LoadResult): DrillLimits {
  return { ...limits, allowanceMs: limits.allowanceMs + Math.round(stalledUs / 1_000) };
}
