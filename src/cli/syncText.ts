/** What `tandem status` and `tandem sync status` print of connection sync. Pure. */
import type { RelayStatus, StatusDocument } from '../api/statusModel.js';
import { age } from './age.js';
import type { Painter } from './table.js';

/** The lines for `tandem status`: what matters at a glance. */
export function syncLines(status: StatusDocument, paint: Painter): readonly string[] {
  const { mode, daemons, lastError, relay } = status.connectionSync;
  const running = daemons.map(
    (daemon) => `${daemon.role} on ${daemon.interface} (id ${daemon.syncId})`,
  );
  const isRelay = mode === 'relay';
  const what = isRelay || running.length === 0 ? '' : `: ${running.join(', ')}`;
  const lines = [`connection sync: ${mode}${what}`];
  if (isRelay && running.length < 2) {
    lines.push(paint('bad', 'connection sync: the two daemons of the kernel do not run'));
  }
  if (lastError !== null) lines.push(paint('bad', `connection sync: ${lastError}`));
  if (relay === undefined) return lines;
  return [
    ...lines,
    `  ${standing(relay, status.nowUnixMs, paint)}`,
    `  ${relay.tableEntries} entries here, ${relay.peerTableEntries ?? 'unknown'} at the peer, ` +
      `${relay.waitingEntries} on their way${lagText(relay)}`,
    ...warnings(relay, paint).map((line) => `  ${line}`),
  ];
}

/** The lines of `tandem sync status`: everything that is counted. */
export function syncDetailLines(status: StatusDocument, paint: Painter): readonly string[] {
  const { relay } = status.connectionSync;
  const lines = syncLines(status, paint);
  if (relay === undefined) return lines;
  const { counters, lastBulk, seed } = relay;
  const reasons = (counts: Readonly<Record<string, number>>): string => {
    const parts = Object.entries(counts).filter(([, count]) => count > 0);
    if (parts.length === 0) return '';
    return ` (${parts.map(([reason, count]) => `${reason} ${count}`).join(', ')})`;
  };
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  const { rejected, dropped, refusedDatagrams } = counters;
  const since = relay.connectedSinceUnixMs;
  return [
    ...lines,
    '  both roles: our kernel tells and is told' +
      `${since === null ? '' : `; connected with the peer for ${age(status.nowUnixMs - since)}`}`,
    `  told by our kernel ${counters.heard}, sent ${counters.sent}, received ` +
      `${counters.received}, given to our kernel ${counters.injected}`,
    `  refused ${sum(rejected)}${reasons(rejected)}, dropped ${sum(dropped)}${reasons(dropped)}, ` +
      `refused datagrams ${sum(refusedDatagrams)}${reasons(refusedDatagrams)}`,
    `  ended ${counters.expired}, repairs ${counters.repairs}, unreadable ${counters.malformed}, ` +
      `memory ${Math.round(relay.tableMemoryBytes / 1024)} KiB`,
    lastBulk === null
      ? '  no whole table was sent or received yet'
      : `  last whole table: ${lastBulk.direction} ${lastBulk.entries} entries in ` +
        `${lastBulk.seconds} s, ${lastBulk.finished ? 'finished' : 'partial'}, ` +
        `${age(status.nowUnixMs - lastBulk.atUnixMs)} ago`,
    seed === null
      ? "  the kernel's own table is being read"
      : `  read from the kernel at the start: ${seed.entries} entries` +
        `${seed.finished ? '' : ', not all'}`,
  ];
}

function standing(relay: RelayStatus, nowUnixMs: number, paint: Painter): string {
  if (relay.connectedSinceUnixMs === null)
    return paint('bad', 'no peer to exchange the table with');
  const compared =
    relay.comparedUnixMs === null ? '' : `, compared ${age(nowUnixMs - relay.comparedUnixMs)} ago`;
  if (relay.inSync) return `${paint('good', 'in sync')}${compared}`;
  if (relay.phase === 'receiving') return paint('warn', "receiving the peer's table");
  if (relay.phase === 'waiting-for-peer') return paint('warn', 'waiting for the peer to begin');
  const differing = Math.max(relay.differingBuckets ?? 0, relay.peerDifferingBuckets ?? 0);
  const text = differing === 0 ? 'not compared yet' : `${differing} of 1024 parts differ`;
  return `${paint('warn', text)}${compared}`;
}

function lagText({ lagMs }: RelayStatus): string {
  return lagMs === null ? '' : `; lag ${lagMs.p50} ms, at most ${lagMs.max} ms`;
}

function warnings(relay: RelayStatus, paint: Painter): readonly string[] {
  const { counters } = relay;
  const lost = Object.values(counters.dropped).reduce((sum, count) => sum + count, 0);
  return [
    ...(relay.portsProtected
      ? []
      : [paint('bad', 'any local user can send to the sync ports: no firewall rule guards them')]),
    ...(relay.holding
      ? [paint('warn', 'this node does not take over before it has the table')]
      : []),
    ...(lost > 0 ? [paint('warn', `${lost} dropped; \`tandem sync status\` says where`)] : []),
    ...(relay.refusedBuckets > 0
      ? [paint('warn', 'the peer has connections of services or servers that this node lacks')]
      : []),
  ];
}
