/**
 * Everything that lowers the priority of one virtual router at a moment: what it was told, and what
 * it found out about itself. Demotions of the second kind end by themselves, so none needs a timer.
 */
import type { MachineState } from './machineModel.js';
import type { Demotion } from './protocol.js';

/** What a router takes off its priority while its operator wants it to step down: all of it. */
const stepDownWeight = 254;

/**
 * What a router takes off its priority when its loop was late again: enough to lose to a sound
 * peer, little enough that a peer in worse trouble does not win.
 */
export const ownLoopLateWeight = 50;

/** The demotions of a router that are in force. */
export function demotionsOf(state: MachineState, nowUs: number): readonly Demotion[] {
  const { demotions, stepDown, lateness } = state;
  const own: Demotion[] = [];
  if (stepDown !== undefined && nowUs < stepDown.untilUs) {
    own.push({ reason: 'operator-step-down', weight: stepDownWeight });
  }
  if (lateness.demotedUntilUs !== undefined && nowUs < lateness.demotedUntilUs) {
    own.push({ reason: 'own-loop-late', weight: ownLoopLateWeight });
  }
  return own.length === 0 ? demotions : [...demotions, ...own];
}
