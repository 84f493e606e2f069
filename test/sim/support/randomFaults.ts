/** What can happen to a LAN and its nodes, drawn at random, and how all of it is repaired. */
import type { Dice } from './random.js';
import type { SimulatedLan } from './simulatedLan.js';
import type { SimulatedNode } from './simulatedNode.js';

const second = 1_000_000;

/** Stalls are longer and shorter than every Active_Down_Interval in use. */
const stallUs = [10_000, 9 * second] as const;

/** Every kind of fault. */
const kinds = [
  'crash',
  'stop',
  'leave',
  'restart',
  'stall',
  'pause',
  'cut',
  'cut-one',
  'cut-one-way',
  'interface',
  'demote',
  'fault',
  'step-down',
  'hold',
  'clock-jump',
  'reload',
] as const;

/** Does one thing to one node, or between two. */
export function injectFault(lan: SimulatedLan, dice: Dice, segments: readonly string[]): void {
  const [first, ...rest] = lan.nodes;
  const [segment = 'eth0', ...otherSegments] = segments;
  if (first === undefined) return;
  const node = dice.pick([first, ...rest]);
  const other = dice.pick([first, ...rest]);
  const anySegment = dice.pick([segment, ...otherSegments]);
  const kind = dice.pick(kinds);
  switch (kind) {
    case 'crash':
      node.crash();
      break;
    case 'restart':
      node.crash();
      node.start();
      break;
    case 'stall':
    case 'pause':
      if (node.running) node.stall(lan.nowUs + dice.between(...stallUs), kind === 'pause');
      break;
    case 'cut':
      for (const each of segments) lan.cut(node, other, each);
      break;
    case 'cut-one':
      lan.cut(node, other, anySegment);
      break;
    case 'cut-one-way':
      lan.cutOneWay(node, other, anySegment);
      break;
    case 'interface':
      node.setInterface(anySegment, dice.chance(0.5));
      break;
    case 'clock-jump':
      node.jumpClock(dice.between(-3600 * second, 3600 * second));
      break;
    default:
      if (node.running) tell(node, dice, kind);
  }
}

function tell(
  node: SimulatedNode,
  dice: Dice,
  kind: 'stop' | 'leave' | 'demote' | 'fault' | 'step-down' | 'hold' | 'reload',
): void {
  const [router] = node.configuration.routers;
  const name = router?.name ?? '';
  switch (kind) {
    case 'stop':
    case 'leave':
      node.command({ type: kind });
      break;
    case 'demote':
      node.command({
        type: 'demotions',
        demotions: dice.chance(0.7)
          ? [{ reason: 'health-thread-lost', weight: dice.pick([30, 60, 120, 254]) }]
          : [],
      });
      break;
    case 'fault':
      node.command({
        type: 'demotions',
        demotions: [],
        faults: [{ reason: 'tracked-file-value', tracker: 'file', routers: [name] }],
      });
      break;
    case 'step-down':
      node.command({
        type: 'step-down',
        ...(dice.chance(0.5) ? { router: name } : {}),
        forMs: dice.pick([0, 700, 5000, 20_000]),
        force: dice.chance(0.3),
      });
      break;
    case 'hold':
      node.command({
        type: 'holds',
        holds: dice.chance(0.7)
          ? [{ reason: 'connections-not-synced', waitMaxMs: dice.pick([500, 5000, 30_000]) }]
          : [],
      });
      break;
    case 'reload':
      node.reload({
        ...node.configuration,
        routers: node.configuration.routers.map((spec) =>
          spec.priority === 255 ? spec : { ...spec, priority: dice.pick([50, 100, 150, 200]) },
        ),
      });
      break;
  }
}

/** Everything works again: what was stopped is started, what was stalled runs. */
export function repairAll(lan: SimulatedLan, segments: readonly string[]): void {
  lan.healAll();
  for (const node of lan.nodes) {
    if (node.isStalled(lan.nowUs)) node.stall(lan.nowUs, node.isPaused);
    for (const segment of segments) node.setInterface(segment, true);
    if (!node.running || node.leaving) {
      node.crash();
      node.start();
      continue;
    }
    node.command({ type: 'demotions', demotions: [] });
    node.command({ type: 'holds', holds: [] });
    node.command({ type: 'step-down', forMs: 0, force: false });
  }
}
