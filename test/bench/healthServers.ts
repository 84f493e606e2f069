/**
 * Real servers for the health benchmarks, in a process of their own: whatever address of loopback
 * is connected to, one listener answers. `node healthServers.js PORT`; it ends with its
 * standard input.
 */
import { createServer } from 'node:net';

const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');

const server = createServer((socket) => {
  // Probes reset their connections, which is no fault here.
  socket.on('error', () => socket.destroy());
  socket.on('data', () => socket.end(answer));
});
server.listen({ port: Number(process.argv[2] ?? 0), host: '0.0.0.0', backlog: 4096 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
