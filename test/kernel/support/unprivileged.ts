/** A process without privilege that tries everything that needs some, and prints what it got. */
import { TandemError } from '../../../src/errors.js';
import { createNetworkNamespace } from '../../../src/kernel/networkNamespace.js';
import { openPacketSocket } from '../../../src/kernel/packetSocket.js';
import { openRouteNetlink } from '../../../src/kernel/routeNetlink.js';
import { writeSysctl } from '../../../src/kernel/sysctl.js';
import { openVrrpSocket } from '../../../src/kernel/vrrpSocket.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const nobody = 65534;
process.setgroups?.([]);
process.setgid?.(nobody);
process.setuid?.(nobody);

const source = ipAddress('127.0.0.1');
const netlink = openRouteNetlink();
const outcomes = {
  vrrpSocket: attempt(() => openVrrpSocket({ interface: 'lo', interfaceIndex: 1, source })),
  packetSocket: attempt(() =>
    openPacketSocket({ interfaceIndex: 1, etherType: 'all', receive: true }),
  ),
  address: attempt(() => {
    const prefix = { address: ipAddress('127.0.0.77'), length: 8 };
    const [error] = netlink.changeAddresses([{ action: 'add', interfaceIndex: 1, prefix }]);
    if (error !== undefined) throw error;
  }),
  namespace: attempt(() => createNetworkNamespace(`tandem-test-${process.pid}`)),
  sysctl: attempt(() => writeSysctl('net.ipv4.ip_forward', 0)),
  links: attempt(() => netlink.links()),
};
netlink.close();
process.stdout.write(JSON.stringify(outcomes));

function attempt(act: () => unknown) {
  try {
    act();
    return { code: 'done' };
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    const { code, errnoName, hint, message } = error;
    return { code, errnoName, hint, message };
  }
}
