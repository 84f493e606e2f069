/** One random course of events: a LAN, its routers, and faults, all drawn from one seed. */
import type { VirtualRouterSpec, VrrpConfiguration } from '../../../src/vrrp/protocol.js';
import { activeDownUs, centisecondUs } from '../../../src/vrrp/timing.js';
import { ipAddress, parseIpPrefix } from '../../../src/wire/ipAddress.js';
import { Invariants } from './invariants.js';
import { Dice } from './random.js';
import { SimulatedLan } from './simulatedLan.js';
import { SimulatedNode } from './simulatedNode.js';

const second = 1_000_000;
const delayMaxUs = 20_000;
const segments = ['eth0', 'eth1'] as const;

/** Rounds of faults, each followed by calm. */
const rounds = 3;

/** What was drawn at the start. */
interface Setting {
  readonly isGroup: boolean;
  readonly nodeCount: number;
  readonly intervalCs: number;
  readonly preemptDelayMs: number;
}

/** Runs the course of a seed. Throws what does not hold. */
export function runCourse(seed: number): void {
  const dice = new Dice(seed);
  const setting: Setting = {
    isGroup: dice.chance(0.5),
    nodeCount: dice.pick([2, 3]),
    intervalCs: dice.pick([10, 100, 100]),
    preemptDelayMs: dice.pick([0, 0, 3000]),
  };
  let lossProbability = 0;
  const conditions = {
    delayUs: () => dice.between(50, delayMaxUs / (setting.intervalCs === 10 ? 10 : 1)),
    isLost: () => lossProbability > 0 && dice.chance(lossProbability),
  };
  const invariants = new Invariants(['eth0/51', 'eth1/52'], setting.isGroup, bounds(setting));
  const lan = new SimulatedLan(conditions, (each) => invariants.check(each));
  const preempt = { enabled: dice.chance(0.7), delayMs: setting.preemptDelayMs };
  for (let index = 0; index < setting.nodeCount; index += 1) {
    // Equal priorities occur, so that addresses decide.
    const priority = dice.pick([100, 150, 150, 200]);
    lan.nodes.push(makeNode(index, setting, { priority, preempt }));
  }
  for (const node of lan.nodes) {
    node.start();
    lan.run(dice.between(0, 2 * second));
    invariants.disturbed(lan.nowUs);
  }
  for (let round = 0; round < rounds; round += 1) {
    lossProbability = dice.pick([0, 0, 0.1, 0.4]);
    for (let fault = dice.between(1, 5); fault > 0; fault -= 1) {
      injectFault(lan, dice);
      invariants.disturbed(lan.nowUs);
      lan.run(dice.between(0, 6 * second));
    }
    lossProbability = 0;
    repairAll(lan);
    invariants.disturbed(lan.nowUs);
    lan.run(bounds(setting).settledUs + 10 * second);
  }
}

/**
 * Recovery in terms of the protocol's own intervals. One Active_Down_Interval finds a dead Active,
 * a second one preempts the first that took over, the preempt delay comes between; a sync group
 * asks again after an interval.
 */
function bounds({ intervalCs, preemptDelayMs }: Setting) {
  const intervalUs = intervalCs * centisecondUs;
  const downUs = activeDownUs(1, intervalUs);
  return {
    twoActivesUs: intervalUs + 2 * delayMaxUs,
    noActiveUs: downUs + 2 * intervalUs + delayMaxUs,
    settledUs: 3 * downUs + 4 * intervalUs + preemptDelayMs * 1000 + 4 * delayMaxUs,
  };
}

function makeNode(
  index: number,
  setting: Setting,
  changes: Partial<VirtualRouterSpec>,
): SimulatedNode {
  const router = (name: string, vrid: number, segment: string, address: string) => {
    const prefix = parseIpPrefix(address);
    if (prefix === undefined) throw new Error(`not a prefix: ${address}`);
    return {
      name,
      vrid,
      interface: segment,
      priority: 100,
      advertIntervalCs: setting.intervalCs,
      preempt: { enabled: true, delayMs: 0 },
      addresses: [{ prefix, interface: segment }],
      checksum: 'pseudo-header',
      announcements: { repeat: 5, delayMs: 5000, refreshMs: 0 },
      ...changes,
    } satisfies VirtualRouterSpec;
  };
  const configuration: VrrpConfiguration = {
    routers: [
      router('outside', 51, 'eth0', '192.0.2.100/24'),
      router('inside', 52, 'eth1', '198.51.100.100/24'),
    ],
    syncGroups: setting.isGroup ? [{ name: 'edge', members: ['outside', 'inside'] }] : [],
  };
  const sources = new Map([
    ['eth0', ipAddress(`192.0.2.${index + 1}`)],
    ['eth1', ipAddress(`198.51.100.${index + 1}`)],
  ]);
  return new SimulatedNode(`node${index + 1}`, sources, configuration);
}

function injectFault(lan: SimulatedLan, dice: Dice): void {
  const [first, ...others] = lan.nodes;
  if (first === undefined) return;
  const node = dice.pick([first, ...others]);
  const other = lan.nodes.find((each) => each !== node) ?? node;
  switch (
    dice.pick(['crash', 'stop', 'stall', 'cut', 'cut-one', 'interface', 'restart', 'demote'])
  ) {
    case 'crash':
      node.crash();
      break;
    case 'stop':
      if (node.running) node.command({ type: 'stop' });
      break;
    case 'stall':
      node.stalledUntilUs = lan.nowUs + dice.between(10_000, 9 * second);
      break;
    case 'cut':
      for (const segment of segments) lan.cut(node, other, segment);
      break;
    case 'cut-one':
      lan.cut(node, other, dice.pick(segments));
      break;
    case 'interface':
      node.setInterface(dice.pick(segments), dice.chance(0.5));
      break;
    case 'restart':
      node.crash();
      node.start();
      break;
    case 'demote':
      node.command({
        type: 'demotions',
        demotions: dice.chance(0.5) ? [{ reason: 'operator-step-down', weight: 254 }] : [],
      });
      break;
  }
}

/** Everything works again: what was stopped is started, what was stalled runs. */
function repairAll(lan: SimulatedLan): void {
  lan.healAll();
  for (const node of lan.nodes) {
    node.stalledUntilUs = 0;
    for (const segment of segments) node.setInterface(segment, true);
    if (node.running) node.command({ type: 'demotions', demotions: [] });
    else node.start();
  }
}
