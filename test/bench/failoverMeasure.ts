/** From what the client's port has seen to the numbers of a round. Pure. */
import type { CapturedAdvert } from '../../src/drill/capture.js';
import { activeDownUs, skewUs } from '../../src/vrrp/timing.js';
import { resignPriority } from '../../src/wire/vrrp.js';
import { vrid } from '../tools/directorDaemon.js';
import { type DirectorName, nodeAddresses, virtualAddress } from '../tools/lan.js';
import {
  type Answer,
  type FailoverSetting,
  overlappingFaults,
  type RoundMeasurement,
  type RoundRecord,
  resigningFaults,
} from './failoverModel.js';

/** What the measurement needs to know of the pair. */
export interface PairSetting extends FailoverSetting {
  /** Who was Active before the fault, and who after it. */
  readonly before: DirectorName;
  readonly after: DirectorName;
  /** Of the Backup, from which its timers follow. */
  readonly backupPriority: number;
  /** The Backup's MAC address, which its announcements carry. */
  readonly backupMacAddress: string;
}

/** The machine was held up for longer than the failover took, so the round says nothing. */
export class DisturbedRoundError extends Error {}

/**
 * The numbers of a round. Throws {@link DisturbedRoundError}, or an error that says what was not
 * there to be seen.
 */
export function measureRound(record: RoundRecord, pair: PairSetting): RoundMeasurement {
  const overlaps = overlappingFaults.includes(pair.fault);
  // One that resigns may answer until the other does, and then no gap stands out.
  const hasSwitch = overlaps || resigningFaults.includes(pair.fault);
  const gap = hasSwitch ? firstSwitch(record, pair) : longestGap(record.answers);
  if (gap.first.from !== pair.before || gap.next.from !== pair.after) {
    const order = `${gap.first.from} before it, ${gap.next.from} after it`;
    throw new DisturbedRoundError(`the longest gap was not the failover: answers of ${order}`);
  }
  const beginUs = overlaps ? lastAdvertUs(record, pair) : gap.first.atUs;
  const sinceUs = hasSwitch ? lastAdvertUs(record, pair) : beginUs;
  const boundUs = protocolBoundUs(record, pair);
  const advert = required(
    `an advert of ${pair.after}`,
    advertsOf(record, pair.after).find(({ atUs }) => atUs > sinceUs),
  );
  const announcement = required(
    `a gratuitous ARP of ${pair.after}`,
    record.frames.find(
      (frame) =>
        frame.kind === 'gratuitous-arp' &&
        frame.address === virtualAddress &&
        frame.macAddress === pair.backupMacAddress &&
        frame.atUs > sinceUs,
    ),
  );
  return {
    gapUs: gap.next.atUs - beginUs,
    beyondBoundUs: gap.next.atUs - boundUs,
    advertAfterBoundUs: advert.atUs - boundUs,
    announcementAfterAdvertUs: announcement.atUs - advert.atUs,
    answerAfterAnnouncementUs: gap.next.atUs - announcement.atUs,
  };
}

/** When the protocol lets the Backup become Active, from what was on the wire. */
function protocolBoundUs(record: RoundRecord, pair: PairSetting): number {
  const intervalUs = pair.advertIntervalMs * 1_000;
  const waitUs = resigningFaults.includes(pair.fault)
    ? skewUs(pair.backupPriority, intervalUs)
    : activeDownUs(pair.backupPriority, intervalUs);
  return lastAdvertUs(record, pair) + waitUs;
}

/** The last advert of the old Active that counts: its priority 0, if it is to say that. */
function lastAdvertUs(record: RoundRecord, pair: PairSetting): number {
  const { fault, before, backupPriority } = pair;
  const resigns = resigningFaults.includes(fault);
  const adverts = advertsOf(record, before);
  const last = adverts.findLast(({ priority }) =>
    resigns ? priority === resignPriority : priority > backupPriority,
  );
  if (last === undefined && !resigns && adverts.length > 0) {
    // Ours does so when the machine has kept it from its own adverts for too long, twice.
    throw new DisturbedRoundError(`${before} had been late, and had lowered its priority itself`);
  }
  return required(`${resigns ? 'a priority 0' : 'an advert'} of ${before}`, last).atUs;
}

/** The first answer of the new Active, and the last one before it. */
function firstSwitch({ answers }: RoundRecord, { after }: PairSetting): Gap {
  const index = answers.findIndex(({ from }) => from === after);
  const next = required(`an answer of ${after}`, answers[index]);
  return { first: required('an answer before it', answers[index - 1]), next };
}

/** Two answers one after the other. */
interface Gap {
  readonly first: Answer;
  readonly next: Answer;
}

function longestGap(answers: readonly Answer[]): Gap {
  let longest: Gap | undefined;
  for (const [index, next] of answers.entries()) {
    const first = answers[index - 1];
    if (first === undefined) continue;
    const lengthUs = next.atUs - first.atUs;
    if (longest === undefined || lengthUs > longest.next.atUs - longest.first.atUs) {
      longest = { first, next };
    }
  }
  return required('two answers', longest);
}

function advertsOf(record: RoundRecord, node: DirectorName): readonly CapturedAdvert[] {
  return record.frames.filter(
    (frame): frame is CapturedAdvert =>
      frame.kind === 'advert' && frame.vrid === vrid && frame.source === nodeAddresses[node],
  );
}

function required<T>(what: string, value: T | undefined): T {
  if (value === undefined) throw new Error(`the client's port has not seen ${what}`);
  return value;
}
