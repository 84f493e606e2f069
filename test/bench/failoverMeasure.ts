/** From what the client's port has seen to the numbers of a round. Pure. */
import type { CapturedAdvert } from '../../src/drill/capture.js';
import { activeDownUs, skewUs } from '../../src/vrrp/timing.js';
import { resignPriority } from '../../src/wire/vrrp.js';
import { type DirectorName, nodeAddresses, virtualAddress } from '../tools/lan.js';
import type {
  Answer,
  FailoverFault,
  FailoverSetting,
  RoundMeasurement,
  RoundRecord,
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
  const gap = longestGap(record.answers);
  if (gap.first.from !== pair.before || gap.next.from !== pair.after) {
    const order = `${gap.first.from} before it, ${gap.next.from} after it`;
    throw new DisturbedRoundError(`the longest gap was not the failover: answers of ${order}`);
  }
  const boundUs = protocolBoundUs(record, pair);
  const advert = required(
    `an advert of ${pair.after}`,
    advertsOf(record, pair.after).find(({ atUs }) => atUs > gap.first.atUs),
  );
  const announcement = required(
    `a gratuitous ARP of ${pair.after}`,
    record.frames.find(
      (frame) =>
        frame.kind === 'gratuitous-arp' &&
        frame.address === virtualAddress &&
        frame.macAddress === pair.backupMacAddress &&
        frame.atUs > gap.first.atUs,
    ),
  );
  return {
    gapUs: gap.next.atUs - gap.first.atUs,
    beyondBoundUs: gap.next.atUs - boundUs,
    advertAfterBoundUs: advert.atUs - boundUs,
    announcementAfterAdvertUs: announcement.atUs - advert.atUs,
    answerAfterAnnouncementUs: gap.next.atUs - announcement.atUs,
  };
}

/** When the protocol lets the Backup become Active, from what was on the wire. */
function protocolBoundUs(record: RoundRecord, pair: PairSetting): number {
  const intervalUs = pair.advertIntervalMs * 1_000;
  const last = required(
    `${wantedLast[pair.fault]} of ${pair.before}`,
    advertsOf(record, pair.before).findLast(
      ({ priority }) => (priority === resignPriority) === (pair.fault === 'polite-stop'),
    ),
  );
  const waitUs =
    pair.fault === 'polite-stop'
      ? skewUs(pair.backupPriority, intervalUs)
      : activeDownUs(pair.backupPriority, intervalUs);
  return last.atUs + waitUs;
}

const wantedLast: Readonly<Record<FailoverFault, string>> = {
  'link-cut': 'an advert',
  'polite-stop': 'a priority 0',
};

function longestGap(answers: readonly Answer[]): { readonly first: Answer; readonly next: Answer } {
  let longest: { readonly first: Answer; readonly next: Answer } | undefined;
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
      frame.kind === 'advert' && frame.source === nodeAddresses[node],
  );
}

function required<T>(what: string, value: T | undefined): T {
  if (value === undefined) throw new Error(`the client's port has not seen ${what}`);
  return value;
}
