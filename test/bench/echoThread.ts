/** A UDP echo server on every address of a director, whoever elects there. */
import { DgramAsPromised } from 'dgram-as-promised';
import { enterOwnNamespace, serveLanWorker } from './lanWorker.js';
import { echoPort } from './proberProtocol.js';

enterOwnNamespace();
const socket = DgramAsPromised.createSocket('udp4');
await socket.bind(echoPort, '0.0.0.0');
serveLanWorker<'ready', 'ready'>((request) => request);

for (;;) {
  const packet = await socket.recv();
  if (packet === undefined) break;
  // Not awaited: a packet that comes while nobody waits in recv() would be lost.
  socket.send(packet.msg, packet.rinfo.port, packet.rinfo.address).catch(() => {
    // While the link is cut nothing can be sent, and the client counts what is missing.
  });
}
