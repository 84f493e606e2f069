/**
 * A worker thread that lives in a namespace, as the vrrp thread of a lab's director does: it
 * installs an address, answers the first advert with one of its own, and ends when woken.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { nowUs } from '../../../src/kernel/monotonicClock.js';
import { openNetworkNamespace } from '../../../src/kernel/networkNamespace.js';
import { pollReadable } from '../../../src/kernel/pollLoop.js';
import { openRouteMonitor, openRouteNetlink } from '../../../src/kernel/routeNetlink.js';
import { openVrrpSocket } from '../../../src/kernel/vrrpSocket.js';
import { drainWakeEvent } from '../../../src/kernel/wakeEvent.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const { namespaceName, wakeFd }: { namespaceName: string; wakeFd: number } = workerData;
const namespace = openNetworkNamespace(namespaceName);
namespace.enter();
const netlink = openRouteNetlink();
const monitor = openRouteMonitor();
const link = netlink.link('eth0');
if (link === undefined) throw new Error('eth0 is missing');
const address = ipAddress('192.0.2.3');
const errors = netlink.changeAddresses([
  { action: 'add', interfaceIndex: link.index, prefix: { address, length: 24 } },
]);
const events = monitor.read().map((event) => event.kind);
const socket = openVrrpSocket({ interface: 'eth0', interfaceIndex: link.index, source: address });
parentPort?.postMessage({ errors: errors.filter((error) => error !== undefined), events });

const deadlineUs = nowUs() + 10_000_000;
for (let woken = false; !woken && nowUs() < deadlineUs; ) {
  for (const fd of pollReadable([socket.fd, wakeFd], undefined)) {
    if (fd === wakeFd) {
      drainWakeEvent(wakeFd);
      woken = true;
    } else {
      for (let packet = socket.receive(); packet !== undefined; packet = socket.receive()) {
        socket.send(packet.bytes.subarray(20));
      }
    }
  }
}
socket.close();
monitor.close();
netlink.close();
namespace.close();
