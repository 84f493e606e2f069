/** Real servers in a network namespace that the probes of a test file run in as well. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { onProcessEnd } from '../../../../src/drill/processEnd.js';
import {
  createNetworkNamespace,
  type NetworkNamespace,
} from '../../../../src/kernel/networkNamespace.js';
import { openRouteNetlink } from '../../../../src/kernel/routeNetlink.js';
import { type IpAddress, ipAddress } from '../../../../src/wire/ipAddress.js';
import { rootTest } from '../../../kernel/support/rootTest.js';
import { DaemonProcess } from '../../../tools/daemonProcess.js';
import { isInstalled } from '../../../tools/startDirector.js';
import { waitFor } from '../../../tools/waiting.js';

/** Where the servers listen. */
export const serverAddress = ipAddress('192.0.2.10');

/** The same in IPv6. */
export const serverAddress6 = ipAddress('2001:db8::10');

/** Another address of this machine, for probes that name their source. */
export const otherAddress = ipAddress('192.0.2.20');

/** The other one in IPv6. */
export const otherAddress6 = ipAddress('2001:db8::20');

/** How long a server may take to start on a machine that is busy. */
const startPatienceMs = 60_000;

/**
 * One test with servers that are started once for all of its subtests. Skipped without root or
 * without one of the `programs`; both are failures where CI must not skip.
 */
export function serverTest(
  title: string,
  programs: readonly string[],
  body: (scene: ServerScene) => Promise<void>,
): void {
  rootTest(title, async (context) => {
    const missing = programs.find((program) => !isInstalled(program));
    if (missing !== undefined) {
      const reason = `needs ${missing}, which is not installed`;
      assert.notEqual(process.env.CI, 'true', reason);
      context.skip(reason);
      return;
    }
    const scene = new ServerScene(context);
    try {
      await body(scene);
    } finally {
      await scene.end();
    }
  });
}

/** A namespace with addresses, a folder, and the servers that were started. */
export class ServerScene {
  readonly context: TestContext;
  /** For the files of the servers. Any user may look into it. */
  readonly folder: string;
  readonly #namespace: NetworkNamespace;
  readonly #daemons: { readonly daemon: DaemonProcess; readonly signal: NodeJS.Signals }[] = [];
  readonly #forget: () => boolean;

  constructor(context: TestContext) {
    this.context = context;
    this.folder = mkdtempSync(join(tmpdir(), 'tandem-probes-'));
    chmodSync(this.folder, 0o755);
    this.#namespace = createNetworkNamespace(`tandem-probes-${randomBytes(3).toString('hex')}`);
    this.#forget = onProcessEnd(() => this.#remove());
    // The file is a process of its own, which stays in here; its probes start here too.
    this.#namespace.enter();
    addAddresses([serverAddress, serverAddress6, otherAddress, otherAddress6]);
  }

  /** A path in the folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file; a secret one is readable by its owner alone. */
  write(name: string, text: string | Uint8Array, mode = 0o644): string {
    const path = this.path(name);
    writeFileSync(path, text, { mode });
    return path;
  }

  /** Makes a folder in the folder. */
  makeFolder(name: string): string {
    const path = this.path(name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Starts a server and waits until it listens on all of these ports of TCP. */
  async start(
    command: string,
    args: readonly string[],
    ports: readonly number[],
    signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<DaemonProcess> {
    const daemon = this.spawn(command, args, signal);
    await waitFor(
      `${command} listens`,
      async () => {
        assert.ok(daemon.isRunning, `${command} has ended: ${daemon.logTail}`);
        const listening = await Promise.all(ports.map(isListening));
        return listening.every((each) => each);
      },
      { timeoutMs: startPatienceMs, evidence: () => daemon.logTail },
    );
    return daemon;
  }

  /** Starts a program that ends with the test, by the signal that ends it soonest. */
  spawn(
    command: string,
    args: readonly string[],
    signal: NodeJS.Signals = 'SIGTERM',
  ): DaemonProcess {
    const name = command.slice(command.lastIndexOf('/') + 1);
    const daemon = new DaemonProcess({
      namespace: this.#namespace,
      command,
      args,
      logPath: this.path(`${name}-${this.#daemons.length}.log`),
    });
    this.#daemons.push({ daemon, signal });
    return daemon;
  }

  /** Ends the servers and removes everything. What they have stored is thrown away. */
  async end(): Promise<void> {
    await Promise.all(this.#daemons.map(({ daemon, signal }) => daemon.end(signal)));
    if (this.#forget()) this.#remove();
  }

  #remove(): void {
    this.#namespace.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function addAddresses(addresses: readonly IpAddress[]): void {
  const netlink = openRouteNetlink();
  try {
    const interfaceIndex = netlink.link('lo')?.index ?? 1;
    const failures = netlink.changeAddresses(
      addresses.map((address) => {
        const length = address.includes(':') ? 128 : 32;
        return { action: 'add', interfaceIndex, prefix: { address, length } };
      }),
    );
    for (const failure of failures) if (failure !== undefined) throw failure;
  } finally {
    netlink.close();
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: serverAddress, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
