/** What a scheduler says, as far as most tests want to know. */
import type { SchedulerAction } from '../../../../src/health/scheduler.js';

/** Actions without how late their probes begin. */
export function withoutLateness(actions: readonly SchedulerAction[]): readonly object[] {
  return actions.map((action) => {
    if (action.type === 'expire') return action;
    const { lateMs: _, ...rest } = action;
    return rest;
  });
}
