/**
 * The real servers of the health benchmark, in a process of their own. One listener answers for
 * every address, and notes when each was connected to. Lines on its standard input: `reset`
 * forgets, `report` prints what was seen as one line of JSON, `last ADDRESS` prints when that
 * address was last connected to, in Unix milliseconds; it ends with its standard input.
 */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** What was seen since the last reset. */
export interface FarmReport {
  readonly connections: number;
  /** Addresses that were connected to. */
  readonly addresses: number;
  readonly elapsedMs: number;
  /** Times between two connections to one address, sorted. */
  readonly gapsMs: readonly number[];
}

const [portText = '0', kind = 'tcp'] = process.argv.slice(2);
const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
const last = new Map<string, number>();
let gaps: number[] = [];
let connections = 0;
let sinceMs = performance.now();

const server = createServer((socket) => {
  const nowMs = performance.now();
  const { localAddress: address } = socket;
  connections += 1;
  // A client that has gone already leaves no address.
  if (address !== undefined) {
    const before = last.get(address);
    if (before !== undefined) gaps.push(nowMs - before);
    last.set(address, nowMs);
  }
  socket.on('error', () => socket.destroy());
  if (kind === 'tcp') socket.destroy();
  else socket.once('data', () => socket.end(answer));
});
server.listen({ port: Number(portText), host: '0.0.0.0', backlog: 8192 }, () => {
  process.stdout.write('ready\n');
});

const input = createInterface(process.stdin);
input.on('line', (line) => {
  if (line === 'reset') {
    last.clear();
    gaps = [];
    connections = 0;
    sinceMs = performance.now();
    return;
  }
  if (line.startsWith('last ')) {
    const lastMs = last.get(line.slice('last '.length));
    process.stdout.write(`${lastMs === undefined ? 0 : performance.timeOrigin + lastMs}\n`);
    return;
  }
  const report: FarmReport = {
    connections,
    addresses: last.size,
    elapsedMs: performance.now() - sinceMs,
    gapsMs: gaps.toSorted((left, right) => left - right),
  };
  process.stdout.write(`${JSON.stringify(report)}\n`);
});
input.on('close', () => process.exit(0));
