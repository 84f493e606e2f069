/** The failover benchmark's results as text. Pure. */
import type { DirectorProgram } from '../tools/directorDaemon.js';
import type { FailoverRound, FailoverSetting, RoundMeasurement } from './failoverModel.js';
import { type Spread, spreadOf } from './spread.js';

/** All rounds of one program under one setting, in microseconds. */
export interface FailoverSummary extends FailoverSetting {
  readonly program: DirectorProgram;
  readonly rounds: number;
  readonly gapUs: Spread;
  readonly beyondBoundUs: Spread;
  readonly advertAfterBoundUs: Spread;
  readonly announcementAfterAdvertUs: Spread;
  readonly answerAfterAnnouncementUs: Spread;
}

/** The summary of some rounds of one program under one setting. */
export function summarize(rounds: readonly FailoverRound[]): FailoverSummary | undefined {
  const [first] = rounds;
  if (first === undefined) return undefined;
  const spread = (key: keyof RoundMeasurement): Spread => {
    const values = spreadOf(rounds.map((round) => round[key]));
    if (values === undefined) throw new RangeError('a summary of no rounds');
    return values;
  };
  const { program, fault, advertIntervalMs, addressCount } = first;
  return {
    program,
    fault,
    advertIntervalMs,
    addressCount,
    rounds: rounds.length,
    gapUs: spread('gapUs'),
    beyondBoundUs: spread('beyondBoundUs'),
    advertAfterBoundUs: spread('advertAfterBoundUs'),
    announcementAfterAdvertUs: spread('announcementAfterAdvertUs'),
    answerAfterAnnouncementUs: spread('answerAfterAnnouncementUs'),
  };
}

/** Both tables, with what they mean. */
export function failoverTables(
  summaries: readonly FailoverSummary[],
  format: (rows: readonly (readonly string[])[]) => readonly string[],
): string {
  return [
    'Client-visible gap and its part beyond the bound of the protocol, in milliseconds',
    '(min / median / max; ratio: median of tandem by median of keepalived):',
    '',
    ...format([
      ['FAULT', 'ADVERTS', 'ADDRESSES', 'PROGRAM', 'ROUNDS', 'GAP', 'RATIO', 'BEYOND THE BOUND'],
      ...summaries.map((summary) => [
        summary.fault,
        `${summary.advertIntervalMs} ms`,
        String(summary.addressCount),
        summary.program,
        String(summary.rounds),
        spreadText(summary.gapUs, 1),
        ratioText(summary, summaries),
        spreadText(summary.beyondBoundUs, 2),
      ]),
    ]),
    '',
    'Where the part beyond the bound goes, medians in milliseconds:',
    '',
    ...format([
      [
        'FAULT',
        'ADVERTS',
        'ADDRESSES',
        'PROGRAM',
        'BOUND TO ADVERT',
        'ADVERT TO ARP',
        'ARP TO ANSWER',
      ],
      ...summaries.map((summary) => [
        summary.fault,
        `${summary.advertIntervalMs} ms`,
        String(summary.addressCount),
        summary.program,
        milliseconds(summary.advertAfterBoundUs.median, 2),
        milliseconds(summary.announcementAfterAdvertUs.median, 2),
        milliseconds(summary.answerAfterAnnouncementUs.median, 2),
      ]),
    ]),
  ].join('\n');
}

/** A table as Markdown; the first row is the heading. */
export function markdownTable(rows: readonly (readonly string[])[]): readonly string[] {
  const lines = rows.map((cells) => `| ${cells.join(' | ')} |`);
  const rule = `|${'---|'.repeat(rows[0]?.length ?? 0)}`;
  return [...lines.slice(0, 1), rule, ...lines.slice(1)];
}

function ratioText(summary: FailoverSummary, summaries: readonly FailoverSummary[]): string {
  if (summary.program !== 'tandem') return '';
  const peer = summaries.find(
    (other) =>
      other.program === 'keepalived' &&
      other.fault === summary.fault &&
      other.advertIntervalMs === summary.advertIntervalMs &&
      other.addressCount === summary.addressCount,
  );
  return peer === undefined ? '-' : (summary.gapUs.median / peer.gapUs.median).toFixed(3);
}

function spreadText({ min, median, max }: Spread, digits: number): string {
  return [min, median, max].map((value) => milliseconds(value, digits)).join(' / ');
}

function milliseconds(us: number, digits: number): string {
  return (us / 1_000).toFixed(digits);
}
