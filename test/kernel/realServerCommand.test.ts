import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram as runCommandLine } from '../../src/cli/program.js';
import { createNetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { openRouteNetlink } from '../../src/kernel/routeNetlink.js';
import { runProgram } from '../drill/support/program.js';
import { rootTest } from './support/rootTest.js';

const config = `
cluster: servers
nodes:
  lb1: { address: 192.0.2.1, interface: eth0 }
  lb2: { address: 192.0.2.2, interface: eth0 }
services:
  - name: web
    listen: tcp://198.51.100.7:80
    forward: dr
    servers: [{ address: '192.0.2.10:80' }]
  - name: mail
    listen: tcp://198.51.100.8:25
    forward: nat
    servers: [{ address: '192.0.2.10:25' }]
`;

/** A folder with the directors' file. */
function folderFor(context: { after(run: () => void): void }) {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-realserver-command-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'tandem.yaml');
  writeFileSync(path, config);
  return { folder, path };
}

rootTest(
  "a server is prepared from the directors' file, checked, and put back",
  async (context) => {
    const { folder, path } = folderFor(context);
    const namespace = createNetworkNamespace(`tandem-rsc-${process.pid}`);
    context.after(() => namespace.remove());
    namespace.enter();
    const own = ['-c', path, '--server', '192.0.2.10'];
    const state = ['--state', join(folder, 'state.json'), '--root', folder];
    const before = await runProgram(['realserver', 'check', ...own, '--json']);
    assert.equal(before.status, 1, before.stderr);
    const { missing } = JSON.parse(before.stdout) as { missing: readonly { kind: string }[] };
    assert.ok(missing.some(({ kind }) => kind === 'address'));

    const applied = await runProgram(['realserver', 'apply', ...own, ...state, '--persist']);
    assert.equal(applied.status, 0, applied.stderr);
    const sysctlFile = join(folder, 'etc/sysctl.d/90-tandem-realserver.conf');
    assert.ok(applied.stdout.includes(`wrote ${sysctlFile}`), applied.stdout);
    assert.match(readFileSync(sysctlFile, 'utf8'), /arp_ignore = 1/);
    // Only the service by direct routing is the server's business.
    assert.deepEqual(addressesOnLoopback(), ['198.51.100.7']);

    const reverted = await runProgram(['realserver', 'revert', ...state]);
    assert.equal(reverted.status, 0, reverted.stderr);
    assert.deepEqual(addressesOnLoopback(), []);
    assert.equal(existsSync(sysctlFile), false);
  },
);

test('what the command lacks or cannot use is an error that names it', async (context) => {
  const { folder, path } = folderFor(context);
  const bad = join(folder, 'bad.yaml');
  writeFileSync(bad, 'nodez: 1\n');
  const table = [
    [[], { code: 'USAGE', message: /needs --vip and --mode, or -c and --server/ }],
    [['--vip', 'x', '--mode', 'dr'], { code: 'USAGE', message: /not an IP address: x/ }],
    [['-c', path, '--server', '192.0.2.99'], { code: 'USAGE', message: /no server 192\.0\.2\.99/ }],
    [['-c', bad, '--server', '192.0.2.10'], { code: 'CONFIG_INVALID', message: /has errors/ }],
    [['-c', join(folder, 'none'), '--server', '192.0.2.10'], { code: 'CONFIG_UNREADABLE' }],
  ] as const;
  for (const [args, expected] of table) {
    const line = ['node', 'tandem', 'realserver', 'check', ...args];
    await assert.rejects(runCommandLine(line), expected);
  }
});

function addressesOnLoopback(): readonly string[] {
  const netlink = openRouteNetlink();
  try {
    const interfaceIndex = netlink.link('lo')?.index ?? 1;
    return netlink
      .addresses({ interfaceIndex, family: 4 })
      .map(({ prefix }) => prefix.address)
      .filter((address) => !address.startsWith('127.'));
  } finally {
    netlink.close();
  }
}
