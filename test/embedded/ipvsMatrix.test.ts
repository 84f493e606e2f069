import assert from 'node:assert/strict';
import { diffTables } from '../../src/ipvs/diff.js';
import { indexTable, type TableService } from '../../src/ipvs/table.js';
import type { IpvsTable } from '../../src/kernel/ipvsTable.js';
import { type IpFamily, ipAddress } from '../../src/wire/ipAddress.js';
import type { IpvsService, ServiceIdentity } from '../../src/wire/ipvsModel.js';
import { formatServiceIdentity } from '../../src/wire/ipvsText.js';
import { ipvsadm, ipvsTest, savedTable, server } from './ipvsSupport.js';

/** Every scheduler of Linux 6.1 that Debian builds. */
const schedulers = [
  ...['rr', 'wrr', 'lc', 'wlc', 'sed', 'nq', 'fo', 'ovf'],
  ...['sh', 'mh', 'dh', 'lblc', 'lblcr'],
] as const;
const protocols = ['tcp', 'udp', 'sctp', 'fwmark'] as const;
const families: readonly IpFamily[] = [4, 6];

const networks = { 4: '10.0.0.', 6: '2001:db8::' } as const;
const protocolOptions = { tcp: '-t', udp: '-u', sctp: '--sctp-service' } as const;

/** What is desired, and the same in the words of ipvsadm. */
interface Expected {
  readonly table: readonly TableService[];
  readonly saved: readonly string[];
}

ipvsTest(
  'every scheduler works with every protocol, family and forwarding method',
  async (table) => {
    const { table: desired, saved } = fullMatrix();
    assert.equal(desired.length, schedulers.length * protocols.length * families.length);
    await program(table, desired);
    assert.deepEqual(await savedTable(), saved.toSorted());
    await assertNothingToDo(table, desired);
  },
);

function fullMatrix(): Expected {
  const table: TableService[] = [];
  const saved: string[] = [];
  for (const [number, scheduler] of schedulers.entries()) {
    for (const protocol of protocols) {
      for (const family of families) {
        const [identity, option] = matrixIdentity(protocol, family, number);
        // Address services keep their port with routed servers; marks have servers of any port.
        const port = identity.kind === 'address' ? identity.port : 0;
        const address = (last: number): ReturnType<typeof ipAddress> =>
          ipAddress(`${networks[family]}${last}`);
        table.push({
          service: { identity, scheduler, onePacket: false, schedulerFlags: 0 },
          servers: [
            server(address(11), { port, forwarding: 'nat', weight: 0 }),
            server(address(12), { port, forwarding: 'dr', weight: 2 }),
            server(address(13), { port, forwarding: 'tunnel', weight: 2_147_483_647 }),
          ],
        });
        const text = (last: number): string =>
          family === 4 ? `${address(last)}:${port}` : `[${address(last)}]:${port}`;
        saved.push(
          `-A ${option} -s ${scheduler}`,
          `-a ${option} -r ${text(11)} -m -w 0`,
          `-a ${option} -r ${text(12)} -g -w 2`,
          `-a ${option} -r ${text(13)} -i -w 2147483647 --tun-type ipip`,
        );
      }
    }
  }
  return { table, saved };
}

function matrixIdentity(
  protocol: (typeof protocols)[number],
  family: IpFamily,
  number: number,
): readonly [ServiceIdentity, string] {
  const port = 1_000 + number;
  if (protocol === 'fwmark') {
    return [{ kind: 'fwmark', family, fwmark: port }, `-f ${port}${family === 6 ? ' -6' : ''}`];
  }
  const address = ipAddress(`${networks[family]}1`);
  const endpoint = family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
  const identity = { kind: 'address' as const, protocol, address, port };
  return [identity, `${protocolOptions[protocol]} ${endpoint}`];
}

ipvsTest(
  'every setting of a service reads back as written, and as ipvsadm shows it',
  async (table) => {
    const base = { scheduler: 'sh', onePacket: false, schedulerFlags: 0 };
    const at = (protocol: 'tcp' | 'udp', family: IpFamily, port: number): ServiceIdentity => ({
      kind: 'address',
      protocol,
      address: ipAddress(`${networks[family]}1`),
      port,
    });
    const persistent = (
      timeoutSeconds: number,
      prefixLength: number,
    ): Pick<IpvsService, 'persistence'> => ({
      persistence: { timeoutSeconds, prefixLength },
    });
    const services: readonly (readonly [IpvsService, string])[] = [
      [
        { ...base, ...persistent(360, 32), identity: at('tcp', 4, 1) },
        '-t 10.0.0.1:1 -s sh -p 360',
      ],
      [
        { ...base, ...persistent(1, 24), identity: at('tcp', 4, 2) },
        '-t 10.0.0.1:2 -s sh -p 1 -M 255.255.255.0',
      ],
      [
        { ...base, ...persistent(2_678_400, 0), identity: at('tcp', 4, 3) },
        '-t 10.0.0.1:3 -s sh -p 2678400 -M 0.0.0.0',
      ],
      [
        { ...base, ...persistent(50, 64), identity: at('tcp', 6, 4) },
        '-t [2001:db8::1]:4 -s sh -p 50 -M 64',
      ],
      [
        { ...base, ...persistent(50, 128), identity: at('tcp', 6, 5) },
        '-t [2001:db8::1]:5 -s sh -p 50',
      ],
      [{ ...base, ...persistent(7, 32), identity: at('tcp', 4, 0) }, '-t 10.0.0.1:0 -s sh -p 7'],
      [{ ...base, onePacket: true, identity: at('udp', 4, 6) }, '-u 10.0.0.1:6 -s sh -o'],
      [
        { ...base, schedulerFlags: 1, identity: at('tcp', 4, 7) },
        '-t 10.0.0.1:7 -s sh -b sh-fallback',
      ],
      [
        { ...base, scheduler: 'mh', schedulerFlags: 2, identity: at('tcp', 4, 8) },
        '-t 10.0.0.1:8 -s mh -b mh-port',
      ],
      [
        { ...base, scheduler: 'rr', schedulerFlags: 7, identity: at('tcp', 4, 9) },
        '-t 10.0.0.1:9 -s rr -b flag-1,flag-2,flag-3',
      ],
      [
        { ...base, ...persistent(60, 32), persistenceEngine: 'sip', identity: at('udp', 4, 10) },
        '-u 10.0.0.1:10 -s sh -p 60 --pe sip',
      ],
    ];
    const desired = services.map(([service]) => ({ service, servers: [] }));
    await program(table, desired);
    assert.deepEqual(await savedTable(), services.map(([, line]) => `-A ${line}`).toSorted());
    await assertNothingToDo(table, desired);
  },
);

ipvsTest(
  'every setting of a server reads back as written, and as ipvsadm shows it',
  async (table) => {
    const identity: ServiceIdentity = { kind: 'fwmark', family: 4, fwmark: 66 };
    const service = { identity, scheduler: 'rr', onePacket: false, schedulerFlags: 0 };
    const tunnel = { port: 0, forwarding: 'tunnel' as const };
    const servers = [
      server(ipAddress('10.0.0.2'), { upperThreshold: 100, lowerThreshold: 50 }),
      server(ipAddress('10.0.0.3'), { upperThreshold: 100 }),
      server(ipAddress('10.0.0.4'), { forwarding: 'local' }),
      server(ipAddress('10.0.0.5'), { forwarding: 'bypass' }),
      server(ipAddress('10.0.0.6'), {
        ...tunnel,
        encapsulation: { type: 'gue', port: 6080, checksum: 'remote' },
      }),
      server(ipAddress('10.0.0.7'), {
        ...tunnel,
        encapsulation: { type: 'gre', checksum: 'full' },
      }),
      // A tunnel may lead to a server of the other family.
      server(ipAddress('2001:db8::8'), tunnel),
    ];
    const desired = [{ service, servers }];
    await program(table, desired);
    await assertNothingToDo(table, desired);
    const lines = await savedTable();
    for (const line of [
      '-a -f 66 -r 10.0.0.6:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum',
      '-a -f 66 -r 10.0.0.7:0 -i -w 1 --tun-type gre --tun-csum',
      '-a -f 66 -r [2001:db8::8]:0 -i -w 1 --tun-type ipip',
    ]) {
      assert.ok(lines.includes(line), `${line} is missing in\n${lines.join('\n')}`);
    }
    const thresholds = await ipvsadm('-L', '-n', '--thresholds');
    assert.match(thresholds, /10\.0\.0\.2:8080 +100 +50 /);
    assert.match(thresholds, /10\.0\.0\.3:8080 +100 +0 /);
  },
);

ipvsTest('an edit changes every setting in place, there and back', async (table) => {
  const identity: ServiceIdentity = { kind: 'fwmark', family: 6, fwmark: 4_294_967_295 };
  const address = ipAddress('2001:db8::2');
  const plain: TableService = {
    service: { identity, scheduler: 'rr', onePacket: false, schedulerFlags: 0 },
    servers: [server(address)],
  };
  const rich: TableService = {
    service: {
      identity,
      scheduler: 'mh',
      persistence: { timeoutSeconds: 9, prefixLength: 48 },
      onePacket: true,
      schedulerFlags: 3,
      persistenceEngine: 'sip',
    },
    servers: [
      server(address, {
        forwarding: 'tunnel',
        weight: 9,
        upperThreshold: 20,
        lowerThreshold: 10,
        encapsulation: { type: 'gue', port: 1, checksum: 'full' },
      }),
    ],
  };
  await program(table, [plain]);
  for (const [from, to] of [
    [plain, rich],
    [rich, plain],
  ] as const) {
    const { operations } = diffTables([to], [from], new Set());
    assert.deepEqual(
      operations.map(({ kind }) => kind),
      ['edit-service', 'edit-server'],
    );
    assert.deepEqual(await table.apply(operations), [undefined, undefined]);
    await assertNothingToDo(table, [to]);
  }
});

/** Programs a table into an empty kernel; everything must be accepted. */
async function program(table: IpvsTable, desired: readonly TableService[]): Promise<void> {
  const { operations } = diffTables(desired, [], new Set());
  const results = await table.apply(operations);
  assert.deepEqual(
    results.filter((error) => error !== undefined).map((error) => error.message),
    [],
  );
}

/** The kernel holds exactly what is desired, and comparing it finds nothing to send. */
async function assertNothingToDo(
  table: IpvsTable,
  desired: readonly TableService[],
): Promise<void> {
  const actual: TableService[] = [];
  for (const service of await table.services()) {
    actual.push({ service, servers: await table.servers(service.identity) });
  }
  assert.deepEqual(diffTables(desired, actual, new Set()), { operations: [], foreignServices: 0 });
  assert.deepEqual(
    [...indexTable(actual).keys()].toSorted(),
    desired.map(({ service }) => formatServiceIdentity(service.identity)).toSorted(),
  );
  assert.equal(table.undecodableEntries, 0);
}
