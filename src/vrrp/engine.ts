/**
 * The loop of the vrrp thread: a dispatcher without opinions. Sockets and clock go into the pure
 * election, what it decides goes out to sockets and netlink, in the order that it says.
 *
 * One turn: wait for the next deadline or a readable descriptor; note the time; read everything
 * that waits; take messages from main; then let the election run what was due at the noted time.
 * Because the time is noted before the sockets are read dry, every packet that had arrived by then
 * is heard before anything is decided by its absence.
 */
import { nowUs } from '../kernel/monotonicClock.js';
import { pollReadable } from '../kernel/pollLoop.js';
import { openRouteMonitor, openRouteNetlink } from '../kernel/routeNetlink.js';
import { drainWakeEvent } from '../kernel/wakeEvent.js';
import { AddressKeeper } from './addressKeeper.js';
import { AdvertisementReceiver } from './advertisementReceiver.js';
import { EffectRunner } from './effectRunner.js';
import {
  type ElectionCommand,
  type ElectionState,
  emptyElection,
  nextDeadlineUs,
  runTurn,
} from './election.js';
import { InterfaceFollower } from './interfaceFollower.js';
import { InterfacePorts, interfaceNames } from './interfacePorts.js';
import type { FromVrrp, ToVrrp, VrrpConfiguration } from './protocol.js';
import { planReconfiguration } from './reconfiguration.js';
import { refusal } from './refusal.js';
import { Reporter } from './reporter.js';

/** Reports go out at least this often, so that main sees that the loop runs. */
const reportPeriodUs = 1_000_000;

/** Most messages of main that one turn takes; the others wait for the next. */
const messagesPerTurnMax = 64;

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
  readonly #reporter: Reporter;
  readonly #receiver: AdvertisementReceiver;
  readonly #interfaces: InterfaceFollower;
  readonly #effects: EffectRunner;
  #configuration: VrrpConfiguration = { routers: [], syncGroups: [] };
  #election: ElectionState = emptyElection;
  #turns = 0;
  #reportDueUs = 0;
  #messagesWait = false;
  #stopping = false;

  constructor(connections: EngineConnections) {
    this.#connections = connections;
    this.#reporter = new Reporter(connections.post);
    this.#receiver = new AdvertisementReceiver(this.#ports, this.#reporter);
    this.#interfaces = new InterfaceFollower(this.#routes, this.#ports, this.#reporter);
    const keeper = new AddressKeeper(this.#routes, this.#ports);
    this.#effects = new EffectRunner(this.#ports, keeper, this.#reporter);
  }

  /** Returns after a `stop` message was carried out. */
  run(): void {
    try {
      while (!this.#stopping) {
        this.#wait();
        this.#turn();
      }
      this.#connections.post({ type: 'stopped' });
    } finally {
      this.#ports.retain(new Set());
      this.#monitor.close();
      this.#routes.close();
    }
  }

  #wait(): void {
    const deadlineUs = Math.min(
      nextDeadlineUs(this.#election) ?? Number.POSITIVE_INFINITY,
      this.#effects.nextDeadlineUs,
      this.#interfaces.nextDeadlineUs,
      this.#messagesWait ? 0 : this.#reportDueUs,
    );
    const fds = [this.#connections.wakeFd, this.#monitor.fd, ...this.#ports.fds];
    pollReadable(fds, Math.max(0, deadlineUs - nowUs()));
  }

  #turn(): void {
    const now = nowUs();
    this.#turns += 1;
    const advertisements = this.#receiver.receiveAll(this.#election, now, (name, error) =>
      this.#interfaces.reopen(name, error),
    );
    const events = this.#monitor.read();
    this.#effects.takeRouteEvents(events, this.#election, now);
    this.#interfaces.takeRouteEvents(events, this.#configuration);
    if (this.#interfaces.follow(this.#configuration, now)) this.#effects.requestAudit(now);
    const { commands, answers } = this.#takeMessages();
    const interfaces = this.#interfaces.changedSources(this.#election);
    const turn = runTurn(this.#election, { advertisements, interfaces, commands }, now);
    this.#election = turn.state;
    this.#effects.carryOut(turn.effects, this.#election, now);
    for (const answer of answers) this.#connections.post(answer);
    if (commands.length > 0) {
      this.#ports.retain(interfaceNames(this.#configuration));
      this.#reporter.retain(this.#election);
    }
    if (commands.length > 0 || turn.effects.transitions.length > 0 || now >= this.#reportDueUs) {
      this.#reporter.report(this.#election, this.#turns);
      this.#reportDueUs = now + reportPeriodUs;
    }
  }

  #takeMessages(): { commands: readonly ElectionCommand[]; answers: readonly FromVrrp[] } {
    drainWakeEvent(this.#connections.wakeFd);
    const commands: ElectionCommand[] = [];
    const answers: FromVrrp[] = [];
    for (let taken = 0; taken < messagesPerTurnMax && !this.#stopping; taken += 1) {
      const message = this.#connections.takeMessage();
      this.#messagesWait = message !== undefined;
      if (message === undefined) break;
      switch (message.type) {
        case 'configure':
          answers.push(this.#prepare(message.configuration, commands));
          break;
        case 'demotions':
          commands.push(message);
          break;
        case 'report':
          this.#reportDueUs = 0;
          break;
        case 'stop':
          commands.push(message);
          this.#stopping = true;
          break;
      }
    }
    return { commands, answers };
  }

  /** Opens what a configuration needs, all or nothing, before the election hears of it. */
  #prepare(configuration: VrrpConfiguration, commands: ElectionCommand[]): FromVrrp {
    try {
      this.#interfaces.openFor(configuration);
    } catch (error) {
      return refusal(error);
    }
    const plan = planReconfiguration(this.#configuration.routers, configuration);
    commands.push({ type: 'reconfigure', plan, addresses: this.#ports.sources });
    this.#configuration = configuration;
    return { type: 'configured' };
  }
}
