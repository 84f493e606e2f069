/**
 * The messages of the peer channel: their numbers on the wire and what they hold, declared as data.
 *
 * A message of a type or version that this program does not know is skipped, and a field that it
 * does not know is left out, so that two versions of Tandem can be a pair while one is upgraded.
 * Times are Unix milliseconds of the sender's clock.
 */
import { overrideRecordsShape } from './overrideModel.js';
import { encodePeerFrame, type PeerFrame } from './peerMessageFrame.js';
import {
  integer,
  list,
  named,
  record,
  type Shape,
  type ShapeValue,
  text,
} from './peerMessageShape.js';
import { WireError } from './wireError.js';

/** The version of the protocol that this program speaks. */
export const peerProtocolVersion = 1;

/** The oldest version that it can work with. */
export const peerProtocolVersionMin = 1;

const name = text(63);
const unixMs = integer(0, Number.MAX_SAFE_INTEGER);
const digest = text(64);
const sequence = integer(0, 0xffff_ffff);

/** A prefix as text, `2001:db8::100/64` at the longest of an IPv6 address. */
const addresses = list(text(50), 4096);

/** Virtual routers of one director: 255 identifiers on each of some interfaces. */
const routersMax = 1024;

const routerState = record({
  name,
  vrid: integer(1, 255),
  /** `initialize`, `backup` or `active`; a newer version may have more. */
  state: text(32),
  /** 0..255. */
  effectivePriority: integer(0, 255),
  addresses,
  sinceUnixMs: unixMs,
  /** Why the router is in this state. */
  reason: text(64),
});

const routerConfig = record({
  name,
  vrid: integer(1, 255),
  /** SHA-256 over the values and addresses, in hexadecimal. */
  digest,
  /** What both directors must have alike, as an operator writes it: `advertInterval: 1s`. */
  values: named(text(200), 64),
  addresses,
});

/** Every message: its number, the version of its payload, and what is in it. */
export const peerMessageTable = {
  /** The first message of both sides. */
  hello: {
    type: 1,
    version: 1,
    body: record({
      protocolVersion: integer(0, 0xffff),
      cluster: name,
      node: name,
      agentVersion: text(64),
      startedUnixMs: unixMs,
    }),
  },
  /** The hello was found right; the other side may send. */
  welcome: { type: 2, version: 1, body: record({}) },
  /** The hello was not found right; the connection is closed after it. */
  refusal: { type: 3, version: 1, body: record({ reason: text(64), detail: text(200) }) },
  heartbeat: {
    type: 4,
    version: 1,
    body: record({
      sequence,
      /** How long the sender's main thread has said nothing new of its election. */
      stateAgeMs: integer(0, Number.MAX_SAFE_INTEGER),
    }),
  },
  /** The answer to a heartbeat, with its number. */
  heartbeatAnswer: { type: 5, version: 1, body: record({ sequence }) },
  /** The state of all virtual routers of the sender. */
  vrrpState: {
    type: 6,
    version: 1,
    body: record({
      /** The sender's clock, so that the receiver can set `sinceUnixMs` to its own. */
      sentUnixMs: unixMs,
      routers: list(routerState, routersMax),
    }),
  },
  /** The part of the sender's VRRP configuration that both directors must have alike. */
  configDigest: {
    type: 7,
    version: 1,
    body: record({ digest, routers: list(routerConfig, routersMax) }),
  },
  /** All that operators have set for servers, on either director, as the sender knows it. */
  overrides: { type: 16, version: 1, body: record({ records: overrideRecordsShape }) },
} as const satisfies Readonly<
  Record<string, { readonly type: number; readonly version: number; readonly body: Shape<unknown> }>
>;

type Table = typeof peerMessageTable;

/** The name of a message. */
export type PeerMessageName = keyof Table;

/** What a message of one name holds. */
export type PeerMessageOf<Name extends PeerMessageName> = {
  readonly type: Name;
} & ShapeValue<Table[Name]['body']>;

/** Any message. */
export type PeerMessage = { [Name in PeerMessageName]: PeerMessageOf<Name> }[PeerMessageName];

/** How a director introduces itself. */
export type PeerHello = ShapeValue<Table['hello']['body']>;

/** One virtual router of the peer. */
export type PeerRouterState = PeerMessageOf<'vrrpState'>['routers'][number];

/** What one virtual router of the peer shares with ours. */
export type PeerRouterConfig = PeerMessageOf<'configDigest'>['routers'][number];

const namesByType: ReadonlyMap<number, PeerMessageName> = new Map(
  Object.entries(peerMessageTable).map(([key, { type }]) => [type, key as PeerMessageName]),
);

/** Writes a message with its frame. Throws {@link WireError} when a value is out of its bounds. */
export function encodePeerMessage(message: PeerMessage): Uint8Array {
  const { type, version, body } = peerMessageTable[message.type];
  const json = JSON.stringify(body.read(message, message.type));
  return encodePeerFrame({ type, version, payload: new TextEncoder().encode(json) });
}

/**
 * Reads the payload of a frame; `undefined` when this program does not know the type, or the type
 * in this version. Throws {@link WireError} when the payload is not what the type must hold.
 */
export function decodePeerMessage(frame: PeerFrame): PeerMessage | undefined {
  const key = namesByType.get(frame.type);
  if (key === undefined || frame.version !== peerMessageTable[key].version) return undefined;
  const body = peerMessageTable[key].body.read(parseJson(frame.payload, key), key);
  // The body is that of the message's own entry in the table.
  return { type: key, ...body } as PeerMessage;
}

function parseJson(payload: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw new WireError('bad-value', `${where}: the payload is not JSON`);
  }
}
