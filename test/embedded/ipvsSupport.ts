/**
 * Tests on real IPVS. They run wherever the kernel has it, inside a network namespace of their
 * own, so that the table of the machine is never touched; elsewhere they are skipped with a reason.
 *
 * Where IPVS is known to be there (the embedded kernel), TANDEM_REQUIRE_IPVS=1 makes a missing
 * IPVS a failure, so that no test passes by not running.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { TandemError } from '../../src/errors.js';
import { type IpvsTable, openIpvsTable } from '../../src/kernel/ipvsTable.js';
import { createNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import type { IpvsServer, ServiceIdentity } from '../../src/wire/ipvsModel.js';

const unavailable = await reasonToSkip();
if (unavailable === undefined) {
  const namespace = createNetworkNamespace(`tandem-ipvs-${process.pid}`);
  namespace.enter();
  process.on('exit', () => namespace.remove());
}

async function reasonToSkip(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    (await openIpvsTable()).close();
    return undefined;
  } catch (error) {
    if (error instanceof TandemError && error.code === 'IPVS_UNAVAILABLE') {
      return 'this kernel has no IPVS';
    }
    throw error;
  }
}

/** A test with an open table that is empty at its start. */
export function ipvsTest(
  title: string,
  body: (table: IpvsTable, context: TestContext) => Promise<void>,
): void {
  test(title, async (context) => {
    if (unavailable !== undefined) {
      assert.notEqual(process.env.TANDEM_REQUIRE_IPVS, '1', unavailable);
      context.skip(unavailable);
      return;
    }
    await ipvsadm('-C');
    const table = await openIpvsTable();
    context.after(() => table.close());
    await body(table, context);
  });
}

/** Runs the independent judge, and the other program that changes the table behind our back. */
export async function ipvsadm(...parameters: readonly string[]): Promise<string> {
  return (await promisify(execFile)('ipvsadm', [...parameters])).stdout;
}

/** The table as ipvsadm would restore it, one line for each service and server, sorted. */
export async function savedTable(): Promise<readonly string[]> {
  const lines = (await ipvsadm('-S', '-n')).split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').toSorted();
}

/** Gives `lo` another address; the namespace ends with the process. */
export function addLocalAddress(address: string): void {
  execFileSync('ip', ['address', 'replace', `${address}/32`, 'dev', 'lo']);
}

/** A TCP server that sends everything back after its own name. */
export async function echoServer(
  context: Pick<TestContext, 'after'>,
  address: string,
  port: number,
): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => socket.write(`${address} ${data}`));
  });
  server.listen(port, address);
  await once(server, 'listening');
  context.after(() => server.close());
  return server;
}

/** A connection to a virtual service that lasts until the test ends. */
export async function openConnection(
  context: TestContext,
  service: ServiceIdentity,
): Promise<Socket> {
  assert.equal(service.kind, 'address');
  const socket = connect(service.port, service.address);
  context.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Sends a word and gives what comes back: the address of the server that answers, and the word. */
export async function ask(socket: Socket, word: string): Promise<string> {
  const answer = once(socket, 'data');
  socket.write(word);
  return String((await answer)[0]);
}

/** Far beyond what a busy machine needs, in milliseconds. */
const deadlineMs = 120_000;

/** Waits until something holds. */
export async function eventually(
  holds: () => Promise<boolean>,
  what: string,
  intervalMs = 50,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

/** A server of weight 1 with NAT; each call names only what the test is about. */
export function server(
  address: IpvsServer['address'],
  change: Partial<IpvsServer> = {},
): IpvsServer {
  return {
    address,
    port: 8080,
    forwarding: 'nat',
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    ...change,
  };
}
