/**
 * Rehearses a promotion before the first real one.
 *
 * V8 compiles code when it first runs, and compiles it well when it has run often. The moment when
 * a Backup becomes Active would be the first run of most of what it needs, and cost clients a
 * millisecond or two. So the thread runs the pure half of a promotion a few dozen times at its
 * start, on a made-up router and without sending anything.
 */
import { openPacketSocket } from '../kernel/packetSocket.js';
import { openRouteNetlink, type RouteNetlink } from '../kernel/routeNetlink.js';
import { encodeGratuitousArp } from '../wire/arp.js';
import { etherTypeArp } from '../wire/ethernet.js';
import { ipAddress } from '../wire/ipAddress.js';
import { emptyElection, nextDeadlineUs, noInputs, runTurn } from './election.js';
import { addressAddition } from './holdings.js';
import { outgoingAdvertisements } from './outgoingAdvertisements.js';
import type { VirtualRouterSpec } from './protocol.js';
import { planReconfiguration } from './reconfiguration.js';

/** Enough for V8 to leave its interpreter, little enough for a slow machine. */
const rehearsals = 30;

/** What is done for each address is rehearsed for many: it is most of a promotion with hundreds. */
const burstAddresses = 250;
const bursts = 8;

const source = ipAddress('192.0.2.1');
const macAddress = new Uint8Array(6);

const router: VirtualRouterSpec = {
  name: 'rehearsal',
  vrid: 1,
  interface: 'lo',
  priority: 100,
  advertIntervalCs: 100,
  preempt: { enabled: true, delayMs: 0 },
  addresses: [{ prefix: { address: ipAddress('192.0.2.100'), length: 24 }, interface: 'lo' }],
  checksum: 'pseudo-header',
  announcements: { repeat: 5, delayMs: 5_000, refreshMs: 60_000 },
};

/** The loopback interface of every network namespace. */
const loopbackIndex = 1;

/** No interface has this index, so the kernel refuses what is asked of it. */
const noInterfaceIndex = 0x7fff_ffff;

/** Runs the rehearsals; takes some milliseconds and changes nothing. */
export function rehearsePromotion(): void {
  const configuration = { routers: [router], syncGroups: [] };
  const routes = openRouteNetlink();
  try {
    const [address] = router.addresses;
    for (let round = 0; address !== undefined && round < rehearsals; round += 1) {
      routes.changeAddresses([
        { action: 'add', interfaceIndex: noInterfaceIndex, prefix: address.prefix },
      ]);
    }
    rehearseBursts(routes);
  } finally {
    routes.close();
  }
  for (let round = 0; round < rehearsals; round += 1) {
    const plan = planReconfiguration([], configuration);
    const addresses = new Map([['lo', source]]);
    const commands = [{ type: 'reconfigure', plan, addresses }] as const;
    const { state } = runTurn(emptyElection, { ...noInputs, commands }, 0);
    const { effects } = runTurn(state, noInputs, nextDeadlineUs(state) ?? 0);
    for (const { priority, spec } of effects.advertisements) {
      outgoingAdvertisements(spec, priority, source);
    }
    for (const { addresses: announced } of effects.announcements) {
      for (const { prefix } of announced) {
        encodeGratuitousArp(prefix.address, macAddress, 'request-broadcast');
      }
    }
  }
}

/** The messages of many addresses to the kernel, from the kernel and to the link; none is sent. */
function rehearseBursts(routes: RouteNetlink): void {
  const socket = openPacketSocket({
    interfaceIndex: loopbackIndex,
    etherType: etherTypeArp,
    receive: false,
  });
  try {
    const addresses = Array.from({ length: burstAddresses }, (_, place) => ({
      prefix: { address: ipAddress(`198.51.100.${place + 1}`), length: 32 },
      interface: router.interface,
    }));
    for (let burst = 0; burst < bursts; burst += 1) {
      routes.rehearse(
        addresses.flatMap((each) => addressAddition(each, router, () => noInterfaceIndex)),
      );
      socket.rehearse(
        addresses.map(({ prefix }) =>
          encodeGratuitousArp(prefix.address, macAddress, 'request-broadcast'),
        ),
      );
    }
  } finally {
    socket.close();
  }
}
