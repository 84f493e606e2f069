/**
 * The scratch pad of one step of a session's machine: it collects the changed state and the
 * actions, so that the rules read as a list of what is done. It never outlives the step.
 */
import type { BfdDiagnostic, BfdState } from '../wire/bfd.js';
import { nextBfdSequence } from '../wire/bfdAuthentication.js';
import type {
  Moment,
  RemoteEnd,
  SessionAction,
  SessionState,
  SessionStep,
  SessionTimerName,
} from './machineModel.js';
import { detectionUs, jitteredUs, slowIntervalUs } from './timing.js';

/** State and actions in the making. */
export class SessionDraft {
  readonly #moment: Moment;
  readonly #actions: SessionAction[] = [];
  #state: SessionState;

  constructor(state: SessionState, moment: Moment) {
    this.#state = state;
    this.#moment = moment;
  }

  get state(): SessionState {
    return this.#state;
  }

  get nowUs(): number {
    return this.#moment.nowUs;
  }

  finish(): SessionStep {
    return { state: this.#state, actions: this.#actions };
  }

  update(changes: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...changes };
  }

  updateRemote(changes: Partial<RemoteEnd>): void {
    this.update({ remote: { ...this.#state.remote, ...changes } });
  }

  /** Whether a tick belongs to the timer as it was armed last. */
  isCurrent(timer: SessionTimerName, generation: number): boolean {
    return this.#state.timers[timer] === generation;
  }

  arm(timer: SessionTimerName, atUs: number): void {
    const generation = this.#state.lastGeneration + 1;
    this.update({
      lastGeneration: generation,
      timers: { ...this.#state.timers, [timer]: generation },
    });
    this.#actions.push({ type: 'arm-timer', timer, generation, atUs });
  }

  cancel(...timers: readonly SessionTimerName[]): void {
    for (const timer of timers) {
      const { [timer]: generation, ...rest } = this.#state.timers;
      if (generation === undefined) continue;
      this.update({ timers: rest });
      this.#actions.push({ type: 'cancel-timer', timer });
    }
  }

  /** Sends one packet. A `final` answers a poll and is no part of a poll sequence of ours. */
  send(final = false): void {
    const { state } = this;
    const { spec, remote } = state;
    if (!state.usable) return;
    // Every packet has a number of its own, which both forms of SHA1 authentication allow.
    const sequence = nextBfdSequence(state.sentSequence);
    this.update({ lastSentUs: this.nowUs, sentSequence: sequence });
    this.#actions.push({
      type: 'send',
      sequence,
      packet: {
        diagnostic: state.diagnostic,
        state: state.current,
        poll: !final && state.poll !== 'idle',
        final,
        controlPlaneIndependent: false,
        demand: false,
        detectMultiplier: spec.detectMultiplier,
        myDiscriminator: state.localDiscriminator,
        yourDiscriminator: remote.discriminator,
        desiredMinTxUs: advertisedMinTxUs(state),
        requiredMinRxUs: spec.requiredMinRxUs,
        requiredMinEchoRxUs: 0,
      },
    });
  }

  /** Arms the timer of the next periodic packet, counted from `fromUs`, or stops it. */
  scheduleTransmit(fromUs: number): void {
    const intervalUs = transmitIntervalUs(this.#state);
    if (intervalUs === undefined) {
      this.cancel('transmit');
      return;
    }
    const { detectMultiplier } = this.#state.spec;
    const gapUs = jitteredUs(intervalUs, detectMultiplier, this.#moment.jitter);
    this.arm('transmit', Math.max(this.nowUs, fromUs + gapUs));
  }

  /** Tells the peer of a change outside of the schedule, which begins anew (RFC 5880, 6.8.7). */
  sendPromptly(): void {
    this.send();
    this.scheduleTransmit(this.nowUs);
  }

  /** Starts the detection time anew from the packet that was heard last. */
  restartDetection(): void {
    const { lastHeardUs } = this.#state;
    const detection = detectionTimeUs(this.#state);
    if (lastHeardUs === undefined || detection === undefined) this.cancel('detection');
    else this.arm('detection', lastHeardUs + detection);
  }

  /** Begins a poll sequence, or notes that one more is needed (RFC 5880, 6.5). */
  beginPoll(): void {
    this.update({ poll: this.#state.poll === 'idle' ? 'polling' : 'polling-again' });
  }

  /**
   * Changes the state. Outside of Up the slow interval applies, and a poll has nothing to settle
   * there: what is announced takes effect at once (RFC 5880, 6.8.3 speaks of Up only).
   */
  transition(to: BfdState, diagnostic: BfdDiagnostic): void {
    const before = this.#state;
    this.update({ current: to, diagnostic, poll: 'idle' });
    const intervalChanged = advertisedMinTxUs(this.#state) !== advertisedMinTxUs(before);
    if (to === 'up' && intervalChanged) this.beginPoll();
    this.update({
      effectiveMinTxUs: advertisedMinTxUs(this.#state),
      effectiveMinRxUs: this.#state.spec.requiredMinRxUs,
    });
    this.#actions.push({ type: 'transition', from: before.current, to, diagnostic });
  }
}

/** The Desired Min TX Interval that packets carry: never fast while the session is not up. */
export function advertisedMinTxUs({ current, spec }: SessionState): number {
  return current === 'up' ? spec.desiredMinTxUs : Math.max(spec.desiredMinTxUs, slowIntervalUs);
}

/**
 * The gap between periodic packets before jitter (RFC 5880, 6.8.7); `undefined` when there are
 * none: the interface cannot be used, or the peer wants none.
 */
export function transmitIntervalUs(state: SessionState): number | undefined {
  const { remote, current, poll, usable, started, effectiveMinTxUs } = state;
  if (!usable || !started || remote.requiredMinRxUs === 0) return undefined;
  const demanded = remote.demand && current === 'up' && remote.state === 'up';
  if (demanded && poll === 'idle') return undefined;
  return Math.max(effectiveMinTxUs, remote.requiredMinRxUs);
}

/** The silence after which the peer is gone; `undefined` as long as it was never heard. */
export function detectionTimeUs(state: SessionState): number | undefined {
  const { remote, effectiveMinRxUs } = state;
  if (remote.detectMultiplier === 0) return undefined;
  return detectionUs(remote.detectMultiplier, effectiveMinRxUs, remote.desiredMinTxUs);
}
