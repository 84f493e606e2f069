/** What `tandem status` prints of the other director. Pure: document in, lines out. */
import type { PeerStatus, StatusDocument } from '../api/statusModel.js';
import { age } from './age.js';
import { formatTable, type Painter } from './table.js';

type Configured = Extract<PeerStatus, { configured: true }>;

/** An answer to a heartbeat that takes longer than this is worth a colour, in milliseconds. */
const lagWarnMs = 500;

/** The lines, with an empty one before them. */
export function peerLines(status: StatusDocument, paint: Painter): readonly string[] {
  const { peer } = status;
  if (!peer.configured) return ['', `peer: ${paint('dim', `no channel (${peer.missing})`)}`];
  return [
    '',
    peer.connected ? connectedLine(peer, status, paint) : missingLine(peer, status, paint),
    ...refusalLines(peer, status, paint),
    ...peer.splitBrain.map((splitBrain) => {
      const since = age(status.nowUnixMs - splitBrain.sinceUnixMs);
      const text = `split brain: both directors are Active for ${splitBrain.router} since ${since}`;
      return `  ${paint('bad', text)}`;
    }),
    ...peer.drift.map((difference) => `  ${paint('warn', `differs: ${difference}`)}`),
    ...routerLines(peer, status),
  ];
}

function connectedLine(peer: Configured, status: StatusDocument, paint: Painter): string {
  const since = age(status.nowUnixMs - peer.sinceUnixMs);
  const lag = peer.heartbeatLagMs;
  const lagText = lag === null ? 'not measured yet' : `${lag} ms`;
  return (
    `${paint('title', `peer ${peer.name}`)}  ${paint('good', 'connected')} ${since} with ` +
    `${peer.address ?? '?'}, version ${peer.peer?.version ?? '?'}, key ${peer.keyId ?? '?'}, ` +
    `heartbeat ${lag !== null && lag > lagWarnMs ? paint('warn', lagText) : lagText}`
  );
}

function missingLine(peer: Configured, status: StatusDocument, paint: Painter): string {
  const since = age(status.nowUnixMs - peer.sinceUnixMs);
  const detail = peer.detail === '' ? '' : ` (${peer.detail})`;
  const state = paint('bad', `not connected: ${peer.reason ?? 'unknown'}`);
  return `${paint('title', `peer ${peer.name}`)}  ${state}${detail}, ${since}, ${peer.role}`;
}

function refusalLines(
  { refused }: Configured,
  status: StatusDocument,
  paint: Painter,
): readonly string[] {
  if (refused === null) return [];
  const who = refused.by === 'peer' ? 'the peer refused this node' : 'this node refused the peer';
  const when = age(status.nowUnixMs - refused.atUnixMs);
  return [`  ${paint('bad', `${who} ${when} ago: ${refused.reason}`)} (${refused.detail})`];
}

function routerLines(peer: Configured, status: StatusDocument): readonly string[] {
  if (peer.routers === null || peer.routers.length === 0) return [];
  const rows = peer.routers.map((router) => [
    router.name,
    String(router.vrid),
    router.state,
    age(status.nowUnixMs - router.sinceUnixMs),
    router.reason,
    String(router.effectivePriority),
    router.addresses.join(' '),
  ]);
  const header = ['ROUTER', 'VRID', 'STATE', 'SINCE', 'WHY', 'PRIORITY', 'ADDRESSES'];
  return formatTable([header, ...rows]).map((line) => `  ${line}`);
}
