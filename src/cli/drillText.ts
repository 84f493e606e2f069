/** How drill reports look on a terminal. */
import type { DrillReport, PromiseResult } from '../drill/report.js';
import { formatTable, type Painter } from './table.js';

/** The whole text of one report. */
export function drillReportText(report: DrillReport, paint: Painter): string {
  const verdict = report.held ? paint('good', 'every promise held') : paint('bad', 'FAILED');
  return [
    '',
    `${paint('title', `${report.scenario}@${report.topology}`)}  ${report.title}: ${verdict}`,
    '',
    ...indent(formatTable(promiseRows(report.promises, paint))),
    '',
    ...indent(formatTable(measuredRows(report))),
    '',
    ...indent([paint('dim', conditionsLine(report))]),
    '',
  ].join('\n');
}

function promiseRows(promises: readonly PromiseResult[], paint: Painter): string[][] {
  const header = ['promise', 'measured', 'bound', 'unit', '', 'the bound is'];
  return [
    header.map((cell) => paint('title', cell)),
    ...promises.map((promise) => [
      promise.says,
      promise.measured === null ? 'never' : String(promise.measured),
      `${promise.comparison === 'at-most' ? '<=' : '='} ${promise.bound}`,
      promise.unit,
      promise.holds ? paint('good', 'ok') : paint('bad', 'BROKEN'),
      promise.boundIs ?? '',
    ]),
  ];
}

function measuredRows({ measured, activeBefore, activeAfter }: DrillReport): string[][] {
  const { requests, persistentClients, downloads } = measured;
  const stayed = persistentClients.filter(({ outcome }) => outcome === 'stayed').length;
  const survived = downloads.filter(({ outcome }) => outcome === 'survived').length;
  const synced = persistentClients.filter((client) => client.synced).length;
  const stall = Math.max(0, ...downloads.map(({ stalledMs }) => stalledMs));
  return [
    ['client gap', `${measured.clientGapMs} ms, ${span(measured)}`],
    ['requests', `${requests.sent} sent, ${requests.failed} failed${counts(requests.failedFor)}`],
    ...measured.unexpectedFailures.map(({ sentAtMs, endedAtMs, failure }) => [
      'failed out of turn',
      `${failure}, sent at ${sentAtMs} ms, ended at ${endedAtMs} ms`,
    ]),
    ['share before the fault', share(measured.answersBefore)],
    ['share after the fault', share(measured.answersAfter)],
    [
      'persistent clients',
      `${stayed} of ${persistentClients.length} stayed on their server (${synced} synced)`,
    ],
    [
      'established downloads',
      `${survived} of ${downloads.length} survived, longest stall ${Math.round(stall)} ms`,
    ],
    ...(measured.takeoverAfterLastAdvertMs === null
      ? []
      : [['takeover', `${measured.takeoverAfterLastAdvertMs} ms after the last advert`]]),
    ['time to weight 0', milliseconds(measured.weightZeroMs)],
    ['time back to full weight', milliseconds(measured.weightBackMs)],
    ['Active', activeBefore === activeAfter ? activeAfter : `${activeBefore}, then ${activeAfter}`],
    ...measured.adverts.map((advert) => [
      `adverts of ${advert.source}`,
      `${advert.count} for virtual router ${advert.vrid}, ${times(advert)}`,
    ]),
    ...measured.announcements.map((announcement) => [
      `${announcement.address.includes(':') ? 'NAs' : 'GARPs'} for ${announcement.address}`,
      `${announcement.count} from ${announcement.macAddress}, ${times(announcement)}`,
    ]),
  ];
}

function conditionsLine({ conditions }: DrillReport): string {
  return (
    `a request every ${conditions.probeIntervalMs} ms (at most ` +
    `${conditions.proberLatenessMaxMs} ms late, ${conditions.requestsSkipped} skipped), ` +
    (conditions.clientStalledMs > 0 ? `stood still for ${conditions.clientStalledMs} ms, ` : '') +
    `adverts every ${conditions.advertIntervalMs} ms, ` +
    `checks every ${conditions.checkIntervalMs} ms; ` +
    'times count from the fault'
  );
}

function span(measured: DrillReport['measured']): string {
  return `from ${measured.clientGapFromMs} to ${measured.clientGapToMs} ms`;
}

function times(seen: { readonly firstAtMs: number; readonly lastAtMs: number }): string {
  return `first at ${seen.firstAtMs} ms, last at ${seen.lastAtMs} ms`;
}

function milliseconds(value: number | null): string {
  return value === null ? '-' : `${value} ms`;
}

function counts(byReason: Readonly<Record<string, number>>): string {
  const parts = Object.entries(byReason).map(([reason, count]) => `${count} ${reason}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function share(answers: Readonly<Record<string, number>>): string {
  const total = Object.values(answers).reduce((sum, count) => sum + count, 0);
  if (total === 0) return 'no answers';
  return Object.entries(answers)
    .sort(([left], [right]) => left.localeCompare(right))
    .map(([server, count]) => `${server} ${count} (${Math.round((100 * count) / total)} %)`)
    .join(', ');
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
