/**
 * The scratch pad of one step of the machine: it collects the changed state and the actions, so
 * that the rules read as a list of what is done. It never outlives the step.
 */

import { ownerPriority, type VrrpVersion } from '../wire/vrrp.js';
import { demotionsOf } from './machineDemotions.js';
import type { MachineAction, MachineState, MachineStep, TimerName } from './machineModel.js';
import type { VirtualAddress } from './protocol.js';
import type { TransitionReason, VirtualRouterState } from './reasons.js';
import { activeDownUs, centisecondUs, effectivePriority, skewUs } from './timing.js';
import { versionOf } from './virtualRouter.js';
import { isEmptyRouting, type VirtualRouting } from './virtualRouting.js';

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
    return effectivePriority(this.#state.spec.priority, demotionsOf(this.#state, this.nowUs));
  }

  /** The version that is spoken, on which the skew depends. */
  get version(): VrrpVersion {
    return versionOf(this.#state.spec);
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

  /** Sends now; `dueUs` is when that was to happen, if it is sent for its time. */
  send(priority: number, dueUs?: number): void {
    const { lateness } = this.#state;
    const hasListened = lateness.listeningUntilUs !== undefined;
    this.update({
      lastSentUs: this.nowUs,
      ...(hasListened ? { lateness: { ...lateness, listeningUntilUs: undefined } } : {}),
    });
    const due = dueUs === undefined ? {} : { dueUs };
    this.#actions.push({ type: 'send-advertisement', priority, ...due });
  }

  addAddresses(addresses: readonly VirtualAddress[], routing: VirtualRouting): void {
    this.#moveAddresses('add-addresses', addresses, routing);
  }

  removeAddresses(addresses: readonly VirtualAddress[], routing: VirtualRouting): void {
    this.#moveAddresses('remove-addresses', addresses, routing);
  }

  #moveAddresses(
    type: 'add-addresses' | 'remove-addresses',
    addresses: readonly VirtualAddress[],
    routing: VirtualRouting,
  ): void {
    if (!isEmptyRouting(routing)) this.#actions.push({ type, addresses, routing });
    else if (addresses.length > 0) this.#actions.push({ type, addresses });
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
    const { startupUntilUs = 0, lastAcceptedUs, activeUnreachable, spec } = this.#state;
    const wait = activeResigned || activeUnreachable ? skewUs : activeDownUs;
    // Skew_Time lets the best of several Backups go first; here is no other.
    const isNextInLine = activeResigned && spec.onlyBackup === true;
    // An owner waits for nobody but the delay of its startup, unless it hears another owner.
    const isOwnerAlone = this.priority === ownerPriority && lastAcceptedUs === undefined;
    const waitUs =
      isNextInLine || (isOwnerAlone && activeDownSinceUs <= startupUntilUs)
        ? 0
        : wait(this.priority, activeAdvertIntervalUs, this.version);
    this.arm('active-down', Math.max(activeDownSinceUs, startupUntilUs) + waitUs);
  }

  transition(to: VirtualRouterState, reason: TransitionReason): void {
    const from = this.#state.current;
    this.update({ current: to, reason });
    this.#actions.push({ type: 'transition', from, to, reason });
  }
}
