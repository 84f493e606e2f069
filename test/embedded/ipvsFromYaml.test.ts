/** What a configuration file says, as the kernel has it and as ipvsadm lists it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readConfigFile } from '../../src/config/read.js';
import { Reconciler } from '../../src/ipvs/reconciler.js';
import { machineClock, type ReconcileRun } from '../../src/ipvs/reconcilerModel.js';
import type { IpvsTable } from '../../src/kernel/ipvsTable.js';
import { projectRoot } from '../tools/sourceFiles.js';
import { ipvsadm, ipvsTest, savedTable } from './ipvsSupport.js';

const example = join(projectRoot, 'conf/options.yaml');

const far = '-a -t 192.0.2.100:8443';

/** Sorted, as {@link savedTable} gives it. */
const expectedRules = [
  '-A -t 192.0.2.100:80 -s mh -b mh-fallback,mh-port',
  '-a -t 192.0.2.100:80 -r 192.0.2.11:8080 -m -w 2',
  '-a -t 192.0.2.100:80 -r 192.0.2.12:8080 -m -w 1',
  '-A -t 192.0.2.100:443 -s wrr -p 600 -M 255.255.255.0',
  '-a -t 192.0.2.100:443 -r 192.0.2.11:443 -g -w 1',
  '-a -t 192.0.2.100:443 -r 192.0.2.12:443 -g -w 1',
  '-A -t [2001:db8::100]:443 -s wrr -p 600 -M 64',
  '-a -t [2001:db8::100]:443 -r [2001:db8::11]:443 -g -w 1',
  '-a -t [2001:db8::100]:443 -r [2001:db8::12]:443 -g -w 1',
  '-A -u 192.0.2.100:53 -s rr -o',
  '-a -u 192.0.2.100:53 -r 192.0.2.11:53 -m -w 1',
  '-a -u 192.0.2.100:53 -r 192.0.2.12:53 -m -w 1',
  '-A -u 192.0.2.100:5060 -s rr -p 60 --pe sip',
  '-a -u 192.0.2.100:5060 -r 192.0.2.11:5060 -m -w 1',
  '-a -u 192.0.2.100:5060 -r 192.0.2.12:5060 -m -w 1',
  '-A -t 192.0.2.100:8443 -s sh -b sh-fallback,sh-port',
  `${far} -r 198.51.100.11:8443 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum`,
  `${far} -r 198.51.100.12:8443 -i -w 1 --tun-type gue --tun-port 6081 --tun-csum`,
  `${far} -r 198.51.100.13:8443 -i -w 1 --tun-type gre --tun-csum`,
  `${far} -r 198.51.100.14:8443 -i -w 1 --tun-type gre --tun-nocsum`,
  `${far} -r 198.51.100.15:8443 -i -w 1 --tun-type ipip`,
  `${far} -r [2001:db8:f::16]:8443 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum`,
].toSorted();

ipvsTest(
  'every option of the example is in the kernel as ipvsadm writes it',
  async (table, context) => {
    const choice = { node: 'lb1', environment: {}, hostname: '' };
    const { config, warnings } = readConfigFile(example, choice);
    assert.deepEqual(warnings, []);
    const { reconciler, runs } = startReconciler(table, context);
    await reconciler.configure(config.services);
    assert.deepEqual(
      runs.flatMap(({ errors }) => errors.map(({ message }) => message)),
      [],
    );
    assert.deepEqual(await savedTable(), expectedRules);

    // Saved files have no thresholds, so the listing is asked for them.
    const limits = await ipvsadm('-L', '-n', '--thresholds', '-t', '192.0.2.100:80');
    assert.match(limits, /192\.0\.2\.11:8080 +500 +400 /);
    assert.match(limits, /192\.0\.2\.12:8080 +500 +0 /);
    const tunnels = await ipvsadm('-L', '-n', '--tun-info', '-t', '192.0.2.100:8443');
    assert.match(tunnels, /198\.51\.100\.12:8443 .*gue:6081:\+c /);

    // What was written reads back as what was wanted, or every audit would write it again.
    await reconciler.audit();
    assert.deepEqual(runs.at(-1)?.operations, []);
    const far = reconciler.serviceStatuses().find(({ name }) => name === 'far');
    assert.deepEqual(far?.schedulerFlags, ['sh-fallback', 'sh-port']);
    assert.deepEqual(
      far.servers.map(({ encapsulation }) => encapsulation?.type ?? 'ipip'),
      ['gue', 'gue', 'gre', 'gre', 'ipip', 'gue'],
    );
    for (const { servers } of reconciler.serviceStatuses()) {
      for (const { weight } of servers) assert.equal(weight.kernel, weight.configured);
    }
  },
);

ipvsTest('a changed option is one operation, and the servers stay', async (table, context) => {
  const choice = { node: 'lb1', environment: {}, hostname: '' };
  const { services } = readConfigFile(example, choice).config;
  const { reconciler, runs } = startReconciler(table, context);
  await reconciler.configure(services);
  const changed = services.map((service) => {
    if (service.name !== 'far') return service;
    const servers = service.servers.map((server) => {
      if (server.encapsulation?.type !== 'gue' || server.encapsulation.port !== 6081) return server;
      return { ...server, encapsulation: { ...server.encapsulation, port: 6082 } };
    });
    return { ...service, servers };
  });
  await reconciler.configure(changed);
  assert.deepEqual(
    runs.at(-1)?.operations.map(({ kind }) => kind),
    ['edit-server'],
  );
  const expected = expectedRules.map((line) => line.replace('--tun-port 6081', '--tun-port 6082'));
  assert.deepEqual(await savedTable(), expected);

  const settings = services.map((service) => {
    if (service.name !== 'cache') return service;
    return { ...service, settings: { ...service.settings, schedulerFlags: 0 } };
  });
  await reconciler.configure(settings);
  assert.ok(runs.at(-1)?.operations.some(({ kind }) => kind === 'edit-service'));
  assert.ok((await savedTable()).includes('-A -t 192.0.2.100:80 -s mh'));
});

/** A reconciler that audits only when it is told to, and what it has done. */
function startReconciler(
  table: IpvsTable,
  context: TestContext,
): { readonly reconciler: Reconciler; readonly runs: readonly ReconcileRun[] } {
  const runs: ReconcileRun[] = [];
  const reconciler = new Reconciler({
    table,
    clock: machineClock,
    auditIntervalMs: 3_600_000,
    onRun: (run) => runs.push(run),
  });
  context.after(() => reconciler.stop());
  return { reconciler, runs };
}
