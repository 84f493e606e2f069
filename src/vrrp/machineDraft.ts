/**
 * The scratch pad of one step of the machine: it collects the changed state and the actions, so
 * that the rules read as a list of what is done. It never outlives the step.
 */

import type { MachineAction, MachineState, MachineStep, TimerName } from './machineModel.js';
import type { VirtualAddress } from './protocol.js';
import type { TransitionReason, VirtualRouterState } from './reasons.js';
import { activeDownUs, centisecondUs, effectivePriority, skewUs } from './timing.js';

/** State and actions in the making. */
export class MachineDraft {
  readonly nowUs: number;
  #state: MachineState;
  readonly #actions: MachineAction[] = [];

  constructor(state: MachineState, nowUs: number) {
    this.#state = state;
    this.nowUs = nowUs;
  }

  get state(): MachineState {
    return this.#state;
  }

  /** The priority that is advertised and compared. */
  get priority(): number {
    return effectivePriority(this.#state.spec.priority, this.#state.demotions);
  }

  /** Our own advertisement interval. */
  get ownIntervalUs(): number {
    return this.#state.spec.advertIntervalCs * centisecondUs;
  }

  finish(): MachineStep {
    return { state: this.#state, actions: this.#actions };
  }

  update(changes: Partial<MachineState>): void {
    this.#state = { ...this.#state, ...changes };
  }

  arm(timer: TimerName, atUs: number): void {
    const generation = this.#state.lastGeneration + 1;
    this.update({
      lastGeneration: generation,
      timers: { ...this.#state.timers, [timer]: generation },
    });
    this.#actions.push({ type: 'arm-timer', timer, generation, atUs });
  }

  cancel(...timers: readonly TimerName[]): void {
    for (const timer of timers) {
      const { [timer]: generation, ...rest } = this.#state.timers;
      if (generation === undefined) continue;
      this.update({ timers: rest });
      this.#actions.push({ type: 'cancel-timer', timer });
    }
  }

  /** Whether a tick belongs to the timer as it was armed last. */
  isCurrent(timer: TimerName, generation: number): boolean {
    return this.#state.timers[timer] === generation;
  }

  send(priority: number): void {
    this.update({ lastSentUs: this.nowUs });
    this.#actions.push({ type: 'send-advertisement', priority });
  }

  addAddresses(addresses: readonly VirtualAddress[]): void {
    if (addresses.length > 0) this.#actions.push({ type: 'add-addresses', addresses });
  }

  removeAddresses(addresses: readonly VirtualAddress[]): void {
    if (addresses.length > 0) this.#actions.push({ type: 'remove-addresses', addresses });
  }

  announce(addresses: readonly VirtualAddress[], repeat: number): void {
    this.update({ lastAnnouncedUs: this.nowUs });
    if (addresses.length > 0 && repeat > 0) {
      this.#actions.push({ type: 'announce', addresses, repeat });
    }
  }

  /** Starts the Active_Down_Timer from the state's own count, whatever ran before. */
  armActiveDown(): void {
    const { activeDownSinceUs, activeAdvertIntervalUs, activeResigned } = this.#state;
    const wait = activeResigned ? skewUs : activeDownUs;
    this.arm('active-down', activeDownSinceUs + wait(this.priority, activeAdvertIntervalUs));
  }

  transition(to: VirtualRouterState, reason: TransitionReason): void {
    const from = this.#state.current;
    this.update({ current: to, reason });
    this.#actions.push({ type: 'transition', from, to, reason });
  }
}
