/** One random course of events: a LAN, its routers, and faults, all drawn from one seed. */
import type { VirtualRouterSpec, VrrpConfiguration } from '../../../src/vrrp/protocol.js';
import { activeDownUs, centisecondUs } from '../../../src/vrrp/timing.js';
import { ipAddress, parseIpPrefix } from '../../../src/wire/ipAddress.js';
import { Invariants, type RecoveryBounds } from './invariants.js';
import { Dice } from './random.js';
import { injectFault, repairAll } from './randomFaults.js';
import { SimulatedLan } from './simulatedLan.js';
import { SimulatedNode } from './simulatedNode.js';

const second = 1_000_000;
const delayMaxUs = 20_000;
/** How long a packet may be held up, in advert intervals: longer than an Active is waited for. */
const heldUpIntervalsMax = 5;

/** Rounds of faults, each followed by calm. */
const rounds = 3;

/** The virtual routers that there can be: name, identifier, segment and network. */
const places = [
  { name: 'outside', vrid: 51, segment: 'eth0', network: '192.0.2' },
  { name: 'inside', vrid: 52, segment: 'eth1', network: '198.51.100' },
  { name: 'storage', vrid: 53, segment: 'eth2', network: '203.0.113' },
] as const;

type Place = (typeof places)[number];

/** What was drawn at the start and is the same on every node. */
interface Setting {
  readonly places: readonly Place[];
  /** How many of the routers, from the first, are a sync group; less than two is none. */
  readonly groupSize: number;
  readonly nodeCount: number;
  readonly intervalCs: number;
  readonly preempt: VirtualRouterSpec['preempt'];
  readonly startupDelayMs: number;
  readonly knowsPriorities: boolean;
}

/** What a course has come to. */
export interface CourseResult {
  readonly simulatedUs: number;
  readonly transitions: number;
  readonly packets: number;
}

/** Runs the course of a seed. Throws what does not hold. */
export function runCourse(seed: number): CourseResult {
  const dice = new Dice(seed);
  const setting = drawSetting(dice);
  const segments = setting.places.map(({ segment }) => segment);
  const trouble = { loss: 0, doubling: 0, reordering: 0 };
  const slowness = setting.intervalCs === 10 ? 10 : 1;
  const conditions = {
    delayUs: () => dice.between(50, delayMaxUs / slowness),
    isLost: () => trouble.loss > 0 && dice.chance(trouble.loss),
    isDoubled: () => trouble.doubling > 0 && dice.chance(trouble.doubling),
    heldUpUs: () =>
      trouble.reordering > 0 && dice.chance(trouble.reordering)
        ? dice.between(1, heldUpIntervalsMax * setting.intervalCs * centisecondUs)
        : 0,
  };
  const keys = setting.places.map(({ segment, vrid }) => `${segment}/${vrid}` as const);
  const invariants = new Invariants({
    routers: setting.places.map(({ segment, vrid }) => ({ key: `${segment}/${vrid}`, segment })),
    groups: setting.groupSize < 2 ? [] : [keys.slice(0, setting.groupSize)],
    bounds: boundsOf(setting),
  });
  const lan = new SimulatedLan(conditions, (each) => invariants.check(each));
  lan.nodes.push(...makeNodes(setting, dice));
  for (const node of lan.nodes) {
    node.start();
    lan.run(dice.between(0, 2 * second));
    invariants.disturbed(lan.nowUs);
  }
  for (let round = 0; round < rounds; round += 1) {
    trouble.loss = dice.pick([0, 0, 0.1, 0.4]);
    trouble.doubling = dice.pick([0, 0.2]);
    trouble.reordering = dice.pick([0, 0, 0.1, 0.5]);
    for (let fault = dice.between(1, 5); fault > 0; fault -= 1) {
      injectFault(lan, dice, segments);
      invariants.disturbed(lan.nowUs);
      lan.run(dice.between(0, 6 * second));
    }
    trouble.loss = 0;
    trouble.reordering = 0;
    repairAll(lan, segments);
    invariants.disturbed(lan.nowUs);
    lan.run(boundsOf(setting).settledUs + 10 * second);
  }
  return {
    simulatedUs: lan.nowUs,
    transitions: lan.transitions.length,
    packets: lan.sent.length,
  };
}

function drawSetting(dice: Dice): Setting {
  const placeCount = dice.pick([1, 2, 2, 3]);
  return {
    places: places.slice(0, placeCount),
    groupSize: dice.chance(0.5) ? placeCount : dice.pick([0, 2]),
    nodeCount: dice.pick([2, 2, 3, 4, 5]),
    intervalCs: dice.pick([10, 100, 100]),
    preempt: { enabled: dice.chance(0.7), delayMs: dice.pick([0, 0, 3000]) },
    startupDelayMs: dice.pick([0, 0, 0, 2000]),
    knowsPriorities: dice.chance(0.5),
  };
}

/**
 * Recovery in terms of the protocol's own intervals. One Active_Down_Interval finds a dead Active,
 * a second one preempts the first that took over, the preempt delay comes between; a sync group
 * asks again after an interval, and so does a router that was stalled.
 */
function boundsOf({ intervalCs, preempt, startupDelayMs }: Setting): RecoveryBounds {
  const intervalUs = intervalCs * centisecondUs;
  const downUs = activeDownUs(1, intervalUs);
  const delaysUs = (preempt.delayMs + startupDelayMs) * 1000;
  return {
    twoActivesUs: intervalUs + 2 * delayMaxUs,
    noActiveUs: downUs + 3 * intervalUs + startupDelayMs * 1000 + delayMaxUs,
    settledUs: 3 * downUs + 5 * intervalUs + delaysUs + 4 * delayMaxUs,
  };
}

function makeNodes(setting: Setting, dice: Dice): readonly SimulatedNode[] {
  // Equal priorities occur, so that addresses decide; so do owners, and even two of them.
  const priorities = Array.from({ length: setting.nodeCount }, () =>
    dice.pick([100, 150, 150, 200, 200, 254, dice.chance(0.3) ? 255 : 50]),
  );
  return priorities.map((priority, index) => {
    const peerPriorities = priorities.filter((_, other) => other !== index);
    const known = setting.knowsPriorities ? { peerPriorities } : {};
    const routers = setting.places.map((place) => ({
      ...routerAt(place, setting),
      priority,
      ...known,
      // As the configuration has it.
      ...(setting.nodeCount === 2 ? { onlyBackup: true } : {}),
    }));
    const members = routers.slice(0, setting.groupSize).map(({ name }) => name);
    const configuration: VrrpConfiguration = {
      routers,
      syncGroups: members.length < 2 ? [] : [{ name: 'edge', members }],
    };
    const sources = new Map(
      setting.places.map(({ segment, network }) => [segment, ipAddress(`${network}.${index + 1}`)]),
    );
    return new SimulatedNode(`node${index + 1}`, sources, configuration);
  });
}

function routerAt({ name, vrid, segment, network }: Place, setting: Setting): VirtualRouterSpec {
  const prefix = parseIpPrefix(`${network}.100/24`);
  if (prefix === undefined) throw new Error(`not a network: ${network}`);
  const { intervalCs, preempt, startupDelayMs } = setting;
  return {
    name,
    vrid,
    interface: segment,
    priority: 100,
    advertIntervalCs: intervalCs,
    preempt,
    startupDelayMs,
    addresses: [{ prefix, interface: segment }],
    checksum: 'pseudo-header',
    announcements: { repeat: 5, delayMs: 5000, refreshMs: 60_000 },
  };
}
