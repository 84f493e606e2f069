/** The status document as a person reads it. Pure: document in, lines out. */
import type { ServerStatus, ServiceStatus, StatusDocument } from '../api/statusModel.js';
import type { VirtualRouterReport } from '../vrrp/protocol.js';
import { formatEndpoint, formatIpPrefix } from '../wire/ipAddress.js';
import { age } from './age.js';
import { electionLines } from './electionText.js';
import { hostLines } from './hostText.js';
import { overrideLines } from './overrideText.js';
import { peerLines } from './peerText.js';
import { networkLines, poolLines, waitLines } from './poolText.js';
import { activeConnectionsText, forwardText, schedulingText } from './serviceText.js';
import { sessionLines } from './sessionText.js';
import { syncLines } from './syncText.js';
import { formatTable, type Painter, type Tone } from './table.js';
import { hookLines, trackerLines } from './trackerText.js';

const stateTones: Readonly<Record<string, Tone>> = {
  active: 'good',
  backup: 'plain',
  initialize: 'warn',
  up: 'good',
  down: 'bad',
  unknown: 'warn',
  drained: 'warn',
  maintenance: 'warn',
};

/** Everything that `tandem status` prints. */
export function statusText(status: StatusDocument, paint: Painter): string {
  return [
    ...headLines(status, paint),
    '',
    ...routerLines(status, paint),
    ...electionLines(status, paint),
    ...peerLines(status, paint),
    ...sessionLines(status, paint),
    ...trackerLines(status, paint),
    ...hookLines(status, paint),
    ...status.services.flatMap((service) => ['', ...serviceLines(service, status, paint)]),
    '',
    ...footLines(status, paint),
  ].join('\n');
}

function headLines(status: StatusDocument, paint: Painter): readonly string[] {
  const uptime = age(status.nowUnixMs - status.startedUnixMs);
  const lines = [
    `${paint('title', `cluster ${status.cluster}, node ${status.node}`)}  ` +
      `(pid ${status.pid}, up ${uptime}, version ${status.version})`,
  ];
  const reload = status.configuration.lastReload;
  if (reload !== null && !reload.ok) {
    const when = age(status.nowUnixMs - reload.atUnixMs);
    lines.push(paint('bad', `last reload refused ${when} ago: ${reload.message}`));
  }
  for (const [name, thread] of Object.entries(status.threads)) {
    const what = name === 'guard' ? 'the guard process' : `the ${name} thread`;
    if (!thread.running) lines.push(paint('bad', `${what} is not running`));
    if (thread.restarts > 0) {
      lines.push(paint('warn', `${what} was restarted ${thread.restarts} times`));
    }
  }
  return [...lines, ...networkLines(status, paint)];
}

function routerLines(status: StatusDocument, paint: Painter): readonly string[] {
  if (status.virtualRouters.length === 0) return ['no virtual routers'];
  const rows = status.virtualRouters.map((router) => [
    router.name,
    String(router.vrid),
    router.interface,
    paint(stateTones[router.state] ?? 'plain', router.state),
    age(status.nowUnixMs - router.sinceUnixMs),
    reasonText(router, paint),
    priorityText(router, paint),
    activeText(router),
    router.addresses.map((address) => formatIpPrefix(address.prefix)).join(' '),
  ]);
  return formatTable([
    ['ROUTER', 'VRID', 'INTERFACE', 'STATE', 'SINCE', 'WHY', 'PRIORITY', 'ACTIVE', 'ADDRESSES'],
    ...rows,
  ]);
}

/** A router that does not run because of trackers names them. */
function reasonText({ reason, faults }: VirtualRouterReport, paint: Painter): string {
  if (faults.length === 0) return reason;
  return paint('bad', `${reason} (${faults.map(({ tracker }) => tracker).join(', ')})`);
}

function priorityText(router: VirtualRouterReport, paint: Painter): string {
  const { configured, effective, demotions } = router.priority;
  if (demotions.length === 0) return String(effective);
  const reasons = demotions.map(({ weight, reason, tracker }) => {
    const why = tracker === undefined ? reason : `${tracker}: ${reason}`;
    return `${weight < 0 ? '+' : '-'} ${Math.abs(weight)} ${why}`;
  });
  return paint('warn', `${effective} (${configured} ${reasons.join(' ')})`);
}

function activeText(router: VirtualRouterReport): string {
  if (router.active === null) return 'nobody heard';
  if (router.active.self) return 'this node';
  return `${router.active.address} (priority ${router.active.priority})`;
}

function serviceLines(
  service: ServiceStatus,
  status: StatusDocument,
  paint: Painter,
): readonly string[] {
  const title =
    `${paint('title', `service ${service.name}`)}  ${service.listeners.join(' ')}  ` +
    `${schedulingText(service)}  ${paint(stateTones[service.state] ?? 'plain', service.state)}`;
  const rows = service.servers.map((server) => [
    formatEndpoint(server.address, server.port),
    forwardText(server),
    weightText(server, paint),
    paint(stateTones[server.admin] ?? 'plain', server.admin),
    server.check === undefined
      ? 'no check'
      : paint(stateTones[server.operational] ?? 'plain', server.operational),
    server.check === undefined ? '' : age(status.nowUnixMs - server.check.sinceUnixMs),
    lastResultText(server),
    activeConnectionsText(server),
    String(server.connections?.inactive ?? '-'),
    String(server.connections?.total ?? '-'),
  ]);
  const header = [
    'SERVER',
    'FORWARD',
    'WEIGHT',
    'ADMIN',
    'CHECK',
    'SINCE',
    'LAST',
    'ACTIVE',
    'INACT',
    'TOTAL',
  ];
  const lines = [
    ...poolLines(service, paint),
    ...formatTable([header, ...rows]),
    ...waitLines(service, status, paint),
    ...overrideLines(service, status, paint),
  ];
  return [title, ...lines.map((line) => `  ${line}`)];
}

/** `2` when all agree; otherwise what is set, what is configured, and why. */
function weightText(server: ServerStatus, paint: Painter): string {
  const { configured, desired, kernel, reason } = server.weight;
  const set = kernel === null ? 'out' : String(kernel);
  const late = kernel === desired ? '' : ` (wanted ${desired ?? 'out'})`;
  if (kernel === configured && late === '') return set;
  return paint('warn', `${set}/${configured} ${reason}${late}`);
}

function lastResultText(server: ServerStatus): string {
  const last = server.check?.last;
  if (last === undefined || last === null) return '';
  return last.detail === '' ? last.reason : `${last.reason} (${last.detail.slice(0, 40)})`;
}

function footLines(status: StatusDocument, paint: Painter): readonly string[] {
  const { ipvs } = status;
  const lines: string[] = [];
  if (!ipvs.available) {
    lines.push(paint(status.services.length > 0 ? 'bad' : 'dim', 'ipvs: not available'));
  } else {
    const audited =
      ipvs.lastAuditUnixMs === null
        ? 'never'
        : `${age(status.nowUnixMs - ipvs.lastAuditUnixMs)} ago`;
    lines.push(
      `ipvs: compared ${audited}, ${ipvs.lastOperations} operations then, ` +
        `${ipvs.operationsTotal} in all, ${ipvs.foreignServices} services of others`,
    );
  }
  if (ipvs.lastError !== null) lines.push(paint('bad', `ipvs: ${ipvs.lastError}`));
  lines.push(...hostLines(status, paint));
  lines.push(...syncLines(status, paint));
  return lines;
}
