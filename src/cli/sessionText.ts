/** BFD sessions of the status document as a person reads them. Pure. */
import type { StatusDocument } from '../api/statusModel.js';
import type { BfdSessionReport } from '../bfd/protocol.js';
import { age } from './age.js';
import { formatTable, type Painter, type Tone } from './table.js';

const stateTones: Readonly<Record<BfdSessionReport['state'], Tone>> = {
  'admin-down': 'warn',
  down: 'bad',
  init: 'warn',
  up: 'good',
};

/** One line for each session; none when there are none. */
export function sessionLines(status: StatusDocument, paint: Painter): readonly string[] {
  if (status.bfd.length === 0) return [];
  const rows = status.bfd.map((session) => [
    session.name,
    session.multihop ? 'multihop' : session.interface,
    session.peer,
    paint(stateTones[session.state], session.state),
    age(status.nowUnixMs - session.sinceUnixMs),
    session.diagnostic === 'none' ? '' : session.diagnostic,
    intervalText(session.transmitIntervalUs),
    intervalText(session.detectionTimeUs),
    session.authentication ?? 'none',
    rejectedText(session, paint),
  ]);
  const header = [
    'BFD',
    'INTERFACE',
    'PEER',
    'STATE',
    'SINCE',
    'WHY',
    'SENDS EVERY',
    'DETECTS IN',
    'AUTH',
    'REJECTED',
  ];
  return ['', ...formatTable([header, ...rows])];
}

function intervalText(us: number | null): string {
  return us === null ? '-' : `${us / 1000} ms`;
}

function rejectedText({ counters }: BfdSessionReport, paint: Painter): string {
  const reasons = Object.entries(counters.rejected).map(([reason, count]) => `${count} ${reason}`);
  return reasons.length === 0 ? '0' : paint('warn', reasons.join(', '));
}
