import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { runProgram as runCommandLine } from '../../src/cli/program.js';
import { collectRealServer } from '../../src/doctor/collect/realServer.js';
import { diagnoseRealServer } from '../../src/doctor/diagnose.js';
import type { Finding, FindingId } from '../../src/doctor/findings.js';
import type { NetworkNamespace } from '../../src/kernel/networkNamespace.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { runProgram } from '../drill/support/program.js';
import { rootTest } from './support/rootTest.js';
import { vethPair } from './support/vethPair.js';

/** A server at 192.0.2.1 whose director is 192.0.2.2, with something that listens at port 80. */
function serverIn(context: TestContext): NetworkNamespace {
  const { left } = vethPair(context);
  run(left.namespace, 'sysctl -q -w net.ipv4.conf.all.rp_filter=0');
  const script = "require('node:net').createServer().listen(80, '0.0.0.0')";
  const listener = left.namespace.spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  context.after(async () => {
    const ended = once(listener, 'exit');
    listener.kill('SIGKILL');
    await ended;
  });
  return left.namespace;
}

function run(namespace: NetworkNamespace, command: string): void {
  const [program = '', ...args] = command.split(' ');
  namespace.run(() => execFileSync(program, args));
}

/** The ids of what is found in the namespace that this thread is in. */
async function doctor(
  mode: 'nat' | 'dr',
  port: number,
  virtual: readonly string[] = [],
): Promise<readonly FindingId[]> {
  const facts = await collectRealServer({
    mode,
    virtualAddresses: virtual.map(ipAddress),
    directors: [ipAddress('192.0.2.2')],
    ports: [{ protocol: 'tcp', port }],
    encapsulations: [],
  });
  assert.deepEqual(facts.notLookedAt, []);
  return diagnoseRealServer(facts).map(({ id }) => id);
}

async function listens(namespace: NetworkNamespace): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (
    !namespace.run(() => readFileSync('/proc/thread-self/net/tcp', 'utf8')).includes(':0050 ')
  ) {
    assert.ok(Date.now() < deadline, 'nothing listens');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

rootTest(
  'on a server behind NAT the doctor finds its gateway and its firewall',
  async (context) => {
    const server = serverIn(context);
    await listens(server);
    server.enter();
    assert.deepEqual(await doctor('nat', 80), ['gateway-elsewhere']);
    run(server, 'ip route add default via 192.0.2.9');
    assert.deepEqual(await doctor('nat', 80), ['gateway-elsewhere']);
    run(server, 'ip route replace default via 192.0.2.2');
    assert.deepEqual(await doctor('nat', 80), []);
    run(server, 'nft add table inet own');
    run(
      server,
      'nft add chain inet own in { type filter hook input priority 0 ; policy accept ; }',
    );
    run(server, 'nft add rule inet own in tcp dport != 22 reject');
    assert.deepEqual(await doctor('nat', 80), ['firewall-drops-requests']);
    run(server, 'nft delete table inet own');
    run(server, 'iptables -A OUTPUT -p tcp --sport 80 -j DROP');
    assert.deepEqual(await doctor('nat', 80), ['firewall-drops-answers']);
  },
);

rootTest('on a server for direct routing it finds each thing that is missing', async (context) => {
  const server = serverIn(context);
  const virtual = ['198.51.100.7'];
  await listens(server);
  server.enter();
  assert.deepEqual(await doctor('dr', 80, virtual), ['virtual-address-missing']);
  run(server, 'ip address add 198.51.100.7/32 dev lo');
  assert.deepEqual(await doctor('dr', 80, virtual), ['server-answers-arp']);
  run(server, 'sysctl -q -w net.ipv4.conf.all.arp_ignore=1');
  assert.deepEqual(await doctor('dr', 80, virtual), []);
  assert.deepEqual(await doctor('dr', 81, virtual), ['nothing-listens']);
});

rootTest('the command says the same to programs', async (context) => {
  const server = serverIn(context);
  await listens(server);
  server.enter();
  const args = ['--realserver', '--mode', 'nat', '--director', '192.0.2.2', '--port', 'tcp:80'];
  const { status, stdout } = await runProgram(['doctor', '--json', ...args]);
  assert.equal(status, 1);
  const { role, healthy, findings } = JSON.parse(stdout) as Record<string, readonly Finding[]>;
  assert.deepEqual([role, healthy], ['real-server', false]);
  assert.equal(findings?.[0]?.id, 'gateway-elsewhere');
});

test('what the command line lacks is an error that names it', async () => {
  const table = [
    [['--realserver'], /--realserver needs --mode, or -c and --server/],
    [['--realserver', '--mode', 'nat'], /--mode nat needs --director/],
    [['--realserver', '--mode', 'dr'], /--mode dr needs --vip/],
    [['--realserver', '--mode', 'dr', '--vip', 'x'], /not an IP address: x/],
    [['--realserver', '--mode', 'dr', '--vip', '192.0.2.1', '--port', '0'], /not a port: 0/],
  ] as const;
  for (const [args, message] of table) {
    const line = ['node', 'tandem', 'doctor', ...args];
    await assert.rejects(runCommandLine(line), { code: 'USAGE', message });
  }
});
