/**
 * The BFD sessions inside of the vrrp thread's loop: sockets and clock go into the pure table of
 * sessions, what it decides goes out. Failures are counted and told; they never end the loop, and a
 * configuration is never refused for a session that cannot run: the election works without it.
 */
import { randomInt } from 'node:crypto';
import { nowUs } from '../kernel/monotonicClock.js';
import type { RouteEvent, RouteNetlink } from '../kernel/routeNetlink.js';
import { encodeBfdHeader } from '../wire/bfd.js';
import { encodeAuthenticatedBfd } from '../wire/bfdAuthentication.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { BfdSessionReport, BfdSessionSpec } from './protocol.js';
import { type SessionPath, SessionSockets } from './sessionSockets.js';
import { SessionStatistics } from './sessionStatistics.js';
import {
  emptySessionTable,
  nextSessionDeadlineUs,
  type RejectedDatagram,
  runSessions,
  type SessionEffect,
  type SessionEffects,
  type SessionTable,
} from './sessionTable.js';
import { chooseSource } from './sourceAddress.js';

/** What could not be opened is tried again after this. */
const retryUs = 1_000_000;

/** Random numbers have this many values, as the discriminators that are made of them. */
const randomRange = 2 ** 32;

/** How the sessions speak to the log; `remark` says once what repeats. */
export interface SessionVoice {
  log(level: 'info' | 'warn', message: string, fields: Readonly<Record<string, string>>): void;
  remark(
    subject: string,
    level: 'warn',
    message: string,
    fields: Readonly<Record<string, string>>,
  ): void;
}

/** What one turn means for others. */
export interface SessionOutcome {
  /** Sessions whose peer fell silent while they were up: diagnostic 1, and nothing else. */
  readonly unreachable: readonly BfdSessionSpec[];
  /** Whether any session changed its state. */
  readonly changed: boolean;
}

/** All BFD sessions of this node. */
export class SessionRunner {
  readonly #routes: RouteNetlink;
  readonly #voice: SessionVoice;
  readonly #sockets = new SessionSockets();
  readonly #statistics = new Map<string, SessionStatistics>();
  #table: SessionTable = emptySessionTable;
  #specs: readonly BfdSessionSpec[] = [];
  #virtualAddresses: ReadonlySet<IpAddress> = new Set();
  #paths: readonly SessionPath[] = [];
  #packets: SessionEffects['packets'] = [];
  #lookDueUs = Number.POSITIVE_INFINITY;
  /** Whether the table has been given the sessions of the last configuration. */
  #configured = true;
  /** Whether the table has not yet been told which sessions can be used now. */
  #socketsChanged = false;
  #stopping = false;
  #lastReadUs = 0;

  constructor(routes: RouteNetlink, voice: SessionVoice) {
    this.#routes = routes;
    this.#voice = voice;
  }

  /** Descriptors to wait for. */
  get fds(): readonly number[] {
    return this.#sockets.fds;
  }

  /** When there is something to do again; infinite when there is not. */
  get nextDeadlineUs(): number {
    if (this.#socketsChanged || !this.#configured) return 0;
    return Math.min(nextSessionDeadlineUs(this.#table), this.#lookDueUs);
  }

  /** Replaces the set of sessions; it takes effect with the next turn. */
  configure(specs: readonly BfdSessionSpec[], virtualAddresses: ReadonlySet<IpAddress>): void {
    this.#specs = specs;
    this.#virtualAddresses = virtualAddresses;
    this.#configured = false;
    this.#lookDueUs = 0;
  }

  /** The next turn says AdminDown to every peer. */
  stop(): void {
    this.#stopping = true;
  }

  /** Any event of an interface may change where a session can send from; a look tells. */
  takeRouteEvents(events: readonly RouteEvent[]): void {
    if (this.#specs.length === 0 || events.length === 0) return;
    const names = new Set(this.#specs.map((spec) => spec.interface));
    const indexes = new Set(this.#paths.map(({ interfaceIndex }) => interfaceIndex));
    const concerned = events.some((event) => {
      if (event.kind === 'link') return names.has(event.link.name) || indexes.has(event.link.index);
      // An address may come to an interface on which no session has found one yet.
      const isKnown = event.kind === 'overrun' || indexes.has(event.address.interfaceIndex);
      return isKnown || this.#paths.length < this.#specs.length;
    });
    if (concerned) this.#lookDueUs = 0;
  }

  /**
   * Reads the sockets and runs what is due at `turnUs`, which was noted before. The packets that
   * come of it wait until {@link send}, so that advertisements can go first.
   */
  run(turnUs: number): SessionOutcome {
    const datagrams = this.#sockets.receiveAll((subject, error) => {
      this.#remarkFailure(`listen ${subject}`, error);
      this.#lookDueUs = 0;
    });
    const inputs = {
      // A stamp from before the last reading is the trace of a wall clock that was set, and would
      // make the peer look silent.
      datagrams: datagrams.map((datagram) => ({
        ...datagram,
        receivedUs: Math.max(datagram.receivedUs, this.#lastReadUs),
      })),
      isUsable: (spec: BfdSessionSpec) => this.#sockets.isOpen(spec),
      ...(this.#configured ? {} : { specs: this.#specs }),
      stop: this.#stopping,
    };
    this.#lastReadUs = turnUs;
    this.#configured = true;
    this.#socketsChanged = false;
    const random = () => randomInt(randomRange) / randomRange;
    const { table, effects } = runSessions(this.#table, inputs, { nowUs: turnUs, random });
    this.#table = table;
    this.#packets = effects.packets;
    return this.#account(effects);
  }

  /** Sends what the last turn decided. */
  send(): void {
    for (const effect of this.#packets) this.#sendOne(effect);
    this.#packets = [];
  }

  /**
   * Brings the sockets in step with the kernel if need be. It comes after {@link send}, because a
   * session that has gone says its last word by the socket that it had.
   */
  follow(turnUs: number): void {
    if (turnUs < this.#lookDueUs) return;
    this.#lookDueUs = Number.POSITIVE_INFINITY;
    this.#socketsChanged = true;
    try {
      this.#paths = this.#readPaths();
    } catch (error) {
      this.#remarkFailure('look', error);
      this.#lookDueUs = turnUs + retryUs;
      return;
    }
    this.#sockets.follow(this.#paths, (session, error) => {
      this.#remarkFailure(`open ${session}`, error);
      this.#lookDueUs = turnUs + retryUs;
    });
  }

  /** What the status document says of each session. */
  reports(): readonly BfdSessionReport[] {
    const offsetMs = Date.now() - nowUs() / 1000;
    const toUnixMs = (us: number) => Math.round(offsetMs + us / 1000);
    const sources = new Map(this.#paths.map(({ spec, source }) => [spec.name, source]));
    return [...this.#table.sessions].map(([name, session]) =>
      this.#statisticsOf(name).report(session, sources.get(name), toUnixMs),
    );
  }

  close(): void {
    this.#sockets.close();
  }

  #sendOne({ spec, packet, sequence }: SessionEffect<'send'>): void {
    const { name, authentication } = spec;
    const statistics = this.#statisticsOf(name);
    try {
      const bytes =
        authentication === undefined
          ? encodeBfdHeader(packet)
          : encodeAuthenticatedBfd(packet, authentication, sequence);
      if (this.#sockets.send(spec, bytes)) statistics.sent();
      else statistics.failedToSend();
    } catch (error) {
      statistics.failedToSend();
      this.#remarkFailure(`send ${name}`, error);
    }
  }

  /** Turns the effects into counters, log lines, and what others must know. */
  #account({ heard, rejected, transitions }: SessionEffects): SessionOutcome {
    for (const name of heard) this.#statisticsOf(name).received();
    for (const rejection of rejected) this.#countRejection(rejection);
    for (const { spec, from, to, diagnostic } of transitions) {
      this.#statisticsOf(spec.name).changed(from, to, diagnostic, Date.now());
      const level = from === 'up' ? 'warn' : 'info';
      const text = `BFD session ${spec.name} with ${spec.peer} is now ${to}`;
      const why = diagnostic === 'none' ? '' : `: ${diagnostic}`;
      this.#voice.log(level, `${text}${why}`, { session: spec.name, from, to, diagnostic });
    }
    for (const name of [...this.#statistics.keys()]) {
      if (!this.#table.sessions.has(name)) this.#statistics.delete(name);
    }
    const unreachable = transitions
      .filter(({ from, to }) => from === 'up' && to === 'down')
      .filter(({ diagnostic }) => diagnostic === 'detection-time-expired')
      .map(({ spec }) => spec);
    return { unreachable, changed: transitions.length > 0 };
  }

  #countRejection({ reason, source, interface: name, session }: RejectedDatagram): void {
    if (session !== undefined) this.#statisticsOf(session).rejected(reason);
    this.#voice.remark(
      `BFD ${reason} ${name} ${source}`,
      'warn',
      `a BFD packet was discarded: ${reason}`,
      { interface: name, peer: source, reason, ...(session === undefined ? {} : { session }) },
    );
  }

  #statisticsOf(name: string): SessionStatistics {
    let statistics = this.#statistics.get(name);
    if (statistics === undefined) {
      statistics = new SessionStatistics(Date.now());
      this.#statistics.set(name, statistics);
    }
    return statistics;
  }

  #remarkFailure(subject: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#voice.remark(`BFD ${subject}`, 'warn', `BFD: ${text}`, {});
  }

  #readPaths(): readonly SessionPath[] {
    if (this.#specs.length === 0) return [];
    const links = new Map(this.#routes.links().map((link) => [link.name, link]));
    const addresses = this.#routes.addresses();
    return this.#specs.flatMap((spec) => {
      const link = links.get(spec.interface);
      if (link === undefined || !link.up || !link.running) return [];
      const candidates = addresses.filter(({ interfaceIndex }) => interfaceIndex === link.index);
      const source = chooseSource(candidates, spec.peer, this.#virtualAddresses);
      return source === undefined ? [] : [{ spec, source, interfaceIndex: link.index }];
    });
  }
}
