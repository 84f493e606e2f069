/** What the election waits for or complains about, as a person reads it. Pure. */
import type { StatusDocument } from '../api/statusModel.js';
import type { VirtualRouterReport } from '../vrrp/protocol.js';
import { age } from './age.js';
import type { Painter } from './table.js';

/** A line for each thing that is out of the ordinary; none when all is well. */
export function electionLines(status: StatusDocument, paint: Painter): readonly string[] {
  return [
    ...status.virtualRouters.flatMap((router) =>
      routerLines(router, status.nowUnixMs).map((text) => paint('warn', `${router.name}: ${text}`)),
    ),
    ...realtimeLines(status, paint),
  ];
}

function routerLines(router: VirtualRouterReport, nowUnixMs: number): readonly string[] {
  const { startupUntilUnixMs, holds, stepDown, lateness } = router;
  const lines: string[] = [];
  const left = (untilUnixMs: number): string => age(untilUnixMs - nowUnixMs);
  if (startupUntilUnixMs !== null) {
    lines.push(`does not become Active for another ${left(startupUntilUnixMs)} after its start`);
  }
  if (stepDown !== null) {
    const state = stepDown.offering ? 'offers its place' : 'stepped down';
    lines.push(`${state} on request, for another ${left(stepDown.untilUnixMs)}`);
  }
  for (const { reason, untilUnixMs, expired } of holds) {
    lines.push(
      expired
        ? `waited long enough for ${reason}; it may preempt again`
        : `does not preempt: ${reason}, for another ${left(untilUnixMs)} at most`,
    );
  }
  if (lateness.listening) lines.push('was stalled, and listens before it advertises again');
  if (lateness.pastBound > 0) {
    lines.push(`its own loop was too late ${times(lateness.pastBound)} since the start`);
  }
  return lines;
}

function realtimeLines(status: StatusDocument, paint: Painter): readonly string[] {
  const { realtime } = status.threads.vrrp;
  if (realtime === null) return [];
  const { scheduler, priority, lockMemory, cpus, failures } = realtime;
  const parts = [
    ...(scheduler === 'none' ? [] : [`${scheduler} at priority ${priority}`]),
    ...(lockMemory ? ['memory locked'] : []),
    ...(cpus === null ? [] : [`processors ${cpus.join(', ')}`]),
  ];
  const inForce = parts.length === 0 ? [] : [`election thread: ${parts.join('; ')}`];
  return [...inForce, ...failures.map((text) => paint('warn', `election thread without ${text}`))];
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
