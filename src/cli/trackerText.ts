/** Trackers and hooks of the status document as a person reads them. Pure. */
import type { HookStatus, StatusDocument } from '../api/statusModel.js';
import type { TrackerReport } from '../track/model.js';
import { age } from './age.js';
import { formatTable, type Painter, type Tone } from './table.js';

/** The column of last results is as wide as this. */
const detailLengthMax = 60;

const stateTones: Readonly<Record<TrackerReport['state'], Tone>> = {
  passing: 'good',
  failing: 'bad',
  unknown: 'warn',
};

/** One line for each tracker; none when there are none. */
export function trackerLines(status: StatusDocument, paint: Painter): readonly string[] {
  if (status.trackers.length === 0) return [];
  const rows = status.trackers.map((tracker) => [
    tracker.name,
    tracker.type,
    paint(stateTones[tracker.state], tracker.state),
    age(status.nowUnixMs - tracker.sinceUnixMs),
    effectText(tracker),
    shorten(tracker.last?.detail ?? 'not looked at yet'),
  ]);
  return ['', ...formatTable([['TRACKER', 'TYPE', 'STATE', 'SINCE', 'WEIGHS', 'LAST'], ...rows])];
}

/** One line for each hook; none when there are none. */
export function hookLines(status: StatusDocument, paint: Painter): readonly string[] {
  if (status.hooks.length === 0) return [];
  const rows = status.hooks.map((hook) => [
    hook.name,
    String(hook.runs),
    hook.failures > 0 ? paint('warn', String(hook.failures)) : '0',
    String(hook.waiting + hook.running),
    hook.dropped > 0 ? paint('bad', String(hook.dropped)) : '0',
    lastCall(hook, status, paint),
  ]);
  return ['', ...formatTable([['HOOK', 'RUNS', 'FAILED', 'QUEUED', 'DROPPED', 'LAST'], ...rows])];
}

/** `60 outside inside`, or `fault outside`: the routers of each weight together. */
function effectText({ effects }: TrackerReport): string {
  const weights = [...new Set(effects.map(({ weight }) => weight))];
  return weights
    .map((weight) => {
      const routers = effects.filter((effect) => effect.weight === weight);
      const names = routers.map(({ router }) => router).join(' ');
      return `${weight === 0 ? 'fault' : weight} ${names}`;
    })
    .join(', ');
}

function lastCall({ last }: HookStatus, status: StatusDocument, paint: Painter): string {
  if (last === null) return 'never';
  const succeeded = last.outcome === 'exited' && last.exitCode === 0;
  const outcome = last.outcome === 'exited' ? `status ${last.exitCode}` : last.outcome;
  const when = age(status.nowUnixMs - last.startedUnixMs);
  const said = succeeded || last.detail === '' ? '' : `: ${shorten(last.detail)}`;
  const text = `${last.target} ${last.state}, ${outcome} in ${Math.round(last.durationMs)} ms`;
  return `${paint(succeeded ? 'plain' : 'warn', `${text}${said}`)}, ${when} ago`;
}

function shorten(text: string): string {
  return text.length <= detailLengthMax ? text : `${text.slice(0, detailLengthMax - 1)}…`;
}
