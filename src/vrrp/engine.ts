/**
 * The loop of the vrrp thread: a dispatcher without opinions. Sockets and clock go into the pure
 * election, what it decides goes out to sockets and netlink, in the order that it says.
 *
 * One turn: wait for the next deadline or a readable descriptor; note the time; read everything
 * that waits; take messages from main; then let the election run what was due at the noted time.
 * Because the time is noted before the sockets are read dry, every packet that had arrived by then
 * is heard before anything is decided by its absence.
 */
import { SessionRunner } from '../bfd/sessionRunner.js';
import { nowUs } from '../kernel/monotonicClock.js';
import { pollReadable } from '../kernel/pollLoop.js';
import { openRouteMonitor, openRouteNetlink } from '../kernel/routeNetlink.js';
import { drainWakeEvent } from '../kernel/wakeEvent.js';
import { AddressKeeper } from './addressKeeper.js';
import { addressTrackers } from './addressTrackers.js';
import { AdvertisementReceiver } from './advertisementReceiver.js';
import { type Authenticators, readAuthenticators } from './authenticators.js';
import { EffectRunner } from './effectRunner.js';
import {
  type ElectionCommand,
  type ElectionState,
  emptyElection,
  nextDeadlineUs,
  nextTakeoverUs,
  noInputs,
  runTurn,
  type Turn,
} from './election.js';
import { InterfaceFollower } from './interfaceFollower.js';
import { InterfacePorts, virtualAddressesOf } from './interfacePorts.js';
import { LatenessHistogram } from './latenessHistogram.js';
import { LinkTrackers } from './linkTrackers.js';
import { MainWatch } from './mainWatch.js';
import { Outbox } from './outbox.js';
import type { FromVrrp, ToVrrp, VrrpConfiguration } from './protocol.js';
import { RealtimeControl } from './realtimeControl.js';
import { planReconfiguration } from './reconfiguration.js';
import { refusal } from './refusal.js';
import { Reporter } from './reporter.js';
import { RoutingWatch } from './routingWatch.js';
import { waitForTakeover } from './takeoverWait.js';

/** Reports go out at least this often, so that main sees that the loop runs. */
const reportPeriodUs = 1_000_000;

/** Most messages of main that one turn takes; the others wait for the next. */
const messagesPerTurnMax = 64;

/** Most events that any turn reads: thousands would hold up an advertisement that is due. */
const eventsPerTurnMax = 128;

/** A turn that was made before its time, and the time that it is for. */
interface ForeseenTurn {
  readonly turn: Turn;
  readonly atUs: number;
}

/** What the loop is connected to. */
export interface EngineConnections {
  /** An eventfd that is raised when a message waits. */
  readonly wakeFd: number;
  /** The next message, or `undefined`. */
  readonly takeMessage: () => ToVrrp | undefined;
  readonly post: (message: FromVrrp) => void;
}

/** Runs the election of this node until it is told to stop. */
export class VrrpEngine {
  readonly #connections: EngineConnections;
  readonly #routes = openRouteNetlink();
  readonly #monitor = openRouteMonitor();
  readonly #ports = new InterfacePorts();
  readonly #outbox: Outbox;
  readonly #reporter: Reporter;
  readonly #receiver: AdvertisementReceiver;
  readonly #interfaces: InterfaceFollower;
  readonly #effects: EffectRunner;
  readonly #routing = new RoutingWatch();
  readonly #trackers: LinkTrackers;
  readonly #sessions: SessionRunner;
  /** What main knows of; what the trackers of this thread know is put beside it. */
  #burdensOfMain: Extract<ToVrrp, { type: 'demotions' }> = { type: 'demotions', demotions: [] };
  #burdensChanged = false;
  readonly #realtime: RealtimeControl;
  readonly #mainWatch = new MainWatch();
  readonly #loopLateness = new LatenessHistogram();
  #configuration: VrrpConfiguration = { routers: [], syncGroups: [] };
  #authenticators: Authenticators = new Map();
  #election: ElectionState = emptyElection;
  #turns = 0;
  #reportDueUs = 0;
  /** A router has changed its state since the last report. */
  #isNews = false;
  #messagesWait = false;
  /** Told to stop: what main still says is of no account. */
  #leaving = false;
  #stopping = false;

  constructor(connections: EngineConnections) {
    this.#connections = connections;
    this.#outbox = new Outbox(connections.post);
    this.#reporter = new Reporter(this.#outbox.post);
    this.#realtime = new RealtimeControl(this.#reporter);
    this.#receiver = new AdvertisementReceiver(this.#ports, this.#reporter);
    this.#interfaces = new InterfaceFollower(this.#routes, this.#ports, this.#reporter);
    this.#trackers = new LinkTrackers(this.#routes, this.#reporter);
    this.#sessions = new SessionRunner(this.#routes, this.#reporter);
    const keeper = new AddressKeeper(this.#routes, this.#ports);
    this.#effects = new EffectRunner(this.#ports, keeper, this.#reporter);
  }

  /** Returns after a `stop` message was carried out. */
  run(): void {
    try {
      while (!this.#stopping) {
        const foreseen = this.#wait();
        if (foreseen === undefined) this.#turn();
        else this.#makeForeseenTurn(foreseen);
      }
      this.#outbox.flush();
      this.#connections.post({ type: 'stopped' });
    } finally {
      this.#interfaces.retain({ routers: [], syncGroups: [] });
      this.#routing.close();
      this.#trackers.close();
      this.#sessions.close();
      this.#monitor.close();
      this.#routes.close();
    }
  }

  /** Returns the turn that is due now, if it is known without a look at anything. */
  #wait(): ForeseenTurn | undefined {
    const deadlineUs = Math.min(
      nextDeadlineUs(this.#election) ?? Number.POSITIVE_INFINITY,
      this.#effects.nextDeadlineUs,
      this.#interfaces.nextDeadlineUs,
      this.#trackers.nextDeadlineUs,
      this.#sessions.nextDeadlineUs,
      this.#outbox.nextDeadlineUs,
      this.#messagesWait ? 0 : this.#reportDueUs,
    );
    const own = [this.#connections.wakeFd, this.#monitor.fd, ...this.#routing.fds];
    const fds = [...own, ...this.#ports.fds, ...this.#trackers.fds, ...this.#sessions.fds];
    const takeoverUs = nextTakeoverUs(this.#election);
    let foreseen: ForeseenTurn | undefined;
    if (takeoverUs === undefined || takeoverUs > deadlineUs) {
      pollReadable(fds, Math.max(0, deadlineUs - nowUs()));
    } else {
      foreseen = waitForTakeover(fds, takeoverUs, () => this.#foresee(takeoverUs));
    }
    const latenessUs = nowUs() - deadlineUs;
    // A deadline of 0 stands for work that waits, not for a time.
    if (deadlineUs > 0 && latenessUs >= 0) this.#loopLateness.add(latenessUs);
    return foreseen;
  }

  /** Makes the turn that is due then if nothing happens before, and rehearses its effects. */
  #foresee(atUs: number): ForeseenTurn {
    const turn = runTurn(this.#election, noInputs, atUs);
    this.#effects.rehearse(turn.effects, turn.state);
    return { turn, atUs };
  }

  /** A takeover that came as foreseen: the next turn looks at all else, and reports. */
  #makeForeseenTurn({ turn, atUs }: ForeseenTurn): void {
    this.#turns += 1;
    this.#carryOut(turn, atUs);
    this.#isNews = true;
  }

  /** Does what a turn decided. */
  #carryOut({ state, effects }: Turn, turnUs: number): void {
    this.#election = state;
    this.#effects.advertise(effects);
    this.#outbox.flushDue(turnUs);
    if (effects.transitions.some(({ to }) => to === 'active')) this.#outbox.keepQuiet(turnUs);
    this.#sessions.send();
    this.#effects.carryOut(effects, this.#election, turnUs);
    if (effects.transitions.length > 0) this.#isNews = true;
  }

  #turn(): void {
    const now = nowUs();
    this.#turns += 1;
    const advertisements = this.#receiver.receiveAll(this.#election, now, (name, error) =>
      this.#interfaces.reopen(name, error),
    );
    // The echo of hundreds of addresses must not hold up that the link is told of them.
    const events = this.#effects.isTakingOver ? [] : this.#monitor.read(eventsPerTurnMax);
    this.#effects.takeRouteEvents(events, this.#election, now);
    this.#interfaces.takeRouteEvents(events, this.#configuration);
    if (this.#routing.take()) this.#effects.requestAudit(now);
    if (this.#interfaces.follow(this.#configuration, now)) {
      this.#effects.prepare(this.#election);
      this.#effects.requestAudit(now);
    }
    this.#trackers.takeEvents(events, now);
    this.#sessions.takeRouteEvents(events);
    const { commands, answers } = this.#takeMessages();
    if (this.#trackers.follow(now) || this.#burdensChanged) commands.unshift(this.#burdens());
    const interfaces = this.#interfaces.changedSources(this.#election);
    const { unreachable, changed } = this.#sessions.run(now);
    const inputs = { advertisements, unreachable, interfaces, commands };
    this.#carryOut(runTurn(this.#election, inputs, now), now);
    if (this.#leaving && this.#election.routers.size === 0) this.#stopping = true;
    this.#sessions.follow(now);
    for (const answer of answers) this.#outbox.post(answer);
    if (commands.length > 0) {
      if (commands.some(({ type }) => type === 'reconfigure')) this.#settle(now);
      this.#reporter.retain(this.#election);
    }
    if (this.#isNews || commands.length > 0 || changed || now >= this.#reportDueUs) {
      this.#isNews = false;
      this.#reporter.report(this.#election, {
        turns: this.#turns,
        loop: this.#loopLateness.summary,
        realtime: this.#realtime.report,
        trackers: this.#trackers.takeReports(),
        sessions: this.#sessions.reports(),
      });
      if (now >= this.#reportDueUs && this.#mainWatch.beat()) this.#burdensChanged = true;
      this.#reportDueUs = now + reportPeriodUs;
    }
  }

  /** Lets go of what the configuration before needed, and sees that nothing of it is left. */
  #settle(turnUs: number): void {
    this.#interfaces.retain(this.#configuration);
    this.#effects.prepare(this.#election);
    this.#effects.requestAudit(turnUs);
  }

  /** All demotions and faults; before the other commands, so that no router starts without them. */
  #burdens(): ElectionCommand {
    this.#burdensChanged = false;
    const { demotions, faults = [] } = this.#burdensOfMain;
    const ours = this.#trackers.burdens;
    return {
      type: 'demotions',
      demotions: [...demotions, ...ours.demotions, ...this.#mainWatch.demotions],
      faults: [...faults, ...ours.faults],
    };
  }

  #takeMessages(): { commands: ElectionCommand[]; answers: readonly FromVrrp[] } {
    drainWakeEvent(this.#connections.wakeFd);
    const commands: ElectionCommand[] = [];
    const answers: FromVrrp[] = [];
    for (let taken = 0; taken < messagesPerTurnMax && !this.#stopping; taken += 1) {
      const message = this.#connections.takeMessage();
      this.#messagesWait = message !== undefined;
      if (message === undefined) break;
      if (this.#leaving) continue;
      if (this.#mainWatch.heard()) this.#burdensChanged = true;
      switch (message.type) {
        case 'alive':
          break;
        case 'holds':
        case 'step-down':
          commands.push(message);
          break;
        case 'configure':
          answers.push(this.#prepare(message.configuration, commands));
          break;
        case 'demotions':
          this.#burdensOfMain = message;
          this.#burdensChanged = true;
          break;
        case 'report':
          this.#reportDueUs = 0;
          break;
        case 'stop':
          commands.push({ type: 'leave' });
          this.#sessions.stop();
          this.#leaving = true;
          break;
      }
    }
    return { commands, answers };
  }

  /** Opens what a configuration needs, all or nothing, before the election hears of it. */
  #prepare(configuration: VrrpConfiguration, commands: ElectionCommand[]): FromVrrp {
    let authenticators: Authenticators;
    try {
      authenticators = readAuthenticators(configuration.routers, this.#authenticators);
      this.#interfaces.openFor(configuration);
      this.#routing.configure(configuration.routers);
      this.#trackers.configure([
        ...(configuration.trackers ?? []),
        ...addressTrackers(configuration.routers),
      ]);
    } catch (error) {
      this.#interfaces.retain(this.#configuration);
      return refusal(error);
    }
    this.#realtime.apply(configuration.realtime);
    const plan = planReconfiguration(this.#configuration.routers, configuration);
    const addresses = this.#ports.sourcesOf(configuration.routers);
    commands.push({ type: 'reconfigure', plan, addresses });
    this.#authenticators = authenticators;
    this.#receiver.configure(authenticators);
    this.#effects.configure(authenticators);
    this.#sessions.configure(configuration.sessions ?? [], virtualAddressesOf(configuration));
    this.#configuration = configuration;
    this.#burdensChanged = true;
    return { type: 'configured' };
  }
}
