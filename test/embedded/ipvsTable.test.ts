import assert from 'node:assert/strict';
import { TandemError } from '../../src/errors.js';
import { createGenericNetlink } from '../../src/kernel/genericNetlink.js';
import { openIpvsTable } from '../../src/kernel/ipvsTable.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { encodeOperation } from '../../src/wire/ipvs.js';
import { commandAttributes, ipvsCommands, ipvsFamily } from '../../src/wire/ipvsAttributes.js';
import type { IpvsOperation, IpvsService, ServiceIdentity } from '../../src/wire/ipvsModel.js';
import {
  type AttributeValues,
  decodeAttributes,
  encodeAttributes,
} from '../../src/wire/netlinkAttributes.js';
import {
  addLocalAddress,
  ask,
  echoServer,
  eventually,
  ipvsadm,
  ipvsTest,
  openConnection,
  savedTable,
  server,
} from './ipvsSupport.js';

const web: ServiceIdentity = {
  kind: 'address',
  protocol: 'tcp',
  address: ipAddress('10.0.0.1'),
  port: 80,
};
const missing: ServiceIdentity = { ...web, port: 81 };
const webService: IpvsService = {
  identity: web,
  scheduler: 'wrr',
  onePacket: false,
  schedulerFlags: 0,
};
const first = server(ipAddress('10.0.0.2'));
const second = server(ipAddress('10.0.0.3'));

ipvsTest('the kernel tells its version and the size of its table', async (table) => {
  const info = await table.info();
  assert.match(info.version, /^1\.\d+\.\d+$/);
  const line = `IP Virtual Server version ${info.version} (size=${info.tableSize})`;
  assert.ok((await ipvsadm('-L', '-n')).startsWith(line));
});

ipvsTest(
  'each refusal of the kernel becomes a clear error and does not stop the rest',
  async (table) => {
    const add = (change: Partial<IpvsService>): IpvsOperation => ({
      kind: 'add-service',
      service: { ...webService, identity: missing, ...change },
    });
    const addServer = (change: Partial<typeof first>): IpvsOperation => ({
      kind: 'add-server',
      service: web,
      server: { ...second, ...change },
    });
    const cases: readonly (readonly [IpvsOperation, string | undefined])[] = [
      [{ kind: 'add-service', service: webService }, undefined],
      [{ kind: 'add-server', service: web, server: first }, undefined],
      [{ kind: 'add-service', service: webService }, 'EEXIST'],
      [add({ scheduler: 'nosuch' }), 'ENOENT'],
      [add({ scheduler: '' }), 'ENOENT'],
      [add({ persistenceEngine: 'nosuch' }), 'ENOENT'],
      [{ kind: 'edit-service', service: { ...webService, identity: missing } }, 'ESRCH'],
      [{ kind: 'edit-service', service: { ...webService, scheduler: 'nosuch' } }, 'ENOENT'],
      [{ kind: 'delete-service', service: missing }, 'ESRCH'],
      [{ kind: 'add-server', service: missing, server: first }, 'ESRCH'],
      [{ kind: 'edit-server', service: missing, server: first }, 'ESRCH'],
      [{ kind: 'delete-server', service: missing, server: first }, 'ESRCH'],
      [{ kind: 'add-server', service: web, server: first }, 'EEXIST'],
      [{ kind: 'edit-server', service: web, server: second }, 'ENOENT'],
      [{ kind: 'delete-server', service: web, server: second }, 'ENOENT'],
      [addServer({ upperThreshold: 1, lowerThreshold: 2 }), 'ERANGE'],
      [addServer({ address: ipAddress('224.0.0.1') }), 'EINVAL'],
      [addServer({ address: ipAddress('2001:db8::2') }), 'EINVAL'],
      [addServer({ address: ipAddress('255.255.255.255') }), 'EINVAL'],
      [{ kind: 'add-server', service: web, server: second }, undefined],
      [{ kind: 'delete-server', service: web, server: first }, undefined],
    ];
    const results = await table.apply(cases.map(([operation]) => operation));
    const words = results.map((error) => error?.message.replace(/^.*: (E[A-Z]+: )/, '$1'));
    assert.ok(words.includes('ERANGE: the lower threshold 2 is above the upper one, 1'));
    assert.ok(words.includes('EINVAL: the address is a multicast one'));
    assert.ok(words.includes('EINVAL: the address is no unicast address here'));
    assert.ok(words.includes('EINVAL: the server is IPv6 and the service IPv4'));
    assert.deepEqual(
      results.map((error) => error?.errnoName),
      cases.map(([, errnoName]) => errnoName),
    );
    for (const error of results) {
      if (error === undefined) continue;
      assert.equal(error.code, 'IPVS_REFUSED');
      assert.match(error.message, /(tcp:\/\/10\.0\.0\.1:8[01]).*: E[A-Z]+: [a-z]/);
    }
    assert.match(results[3]?.hint ?? '', /modprobe ip_vs_nosuch/);
    assert.deepEqual(await savedTable(), [
      '-A -t 10.0.0.1:80 -s wrr',
      '-a -t 10.0.0.1:80 -r 10.0.0.3:8080 -m -w 1',
    ]);
  },
);

ipvsTest(
  'a value that does not fit is refused before it is sent, and only that change',
  async (table) => {
    const results = await table.apply([
      { kind: 'add-service', service: { ...webService, scheduler: 'a-name-that-is-too-long' } },
      { kind: 'add-service', service: webService },
      { kind: 'add-server', service: web, server: { ...first, weight: -1 } },
    ]);
    assert.deepEqual(
      results.map((error) => error?.code),
      ['IPVS_REFUSED', undefined, 'IPVS_REFUSED'],
    );
    assert.match(results[2]?.message ?? '', /10\.0\.0\.1:80 -> 10\.0\.0\.2:8080 .*: weight/);
  },
);

ipvsTest(
  'answers that overrun the socket are settled by reading the table',
  async (_table, context) => {
    // The kernel's least buffer holds a handful of the refusals of a window of a hundred.
    const narrow = await openIpvsTable({ receiveBufferBytes: 1 });
    context.after(() => narrow.close());
    const add = (number: number, weight: number): IpvsOperation => ({
      kind: 'add-server',
      service: web,
      server: server(ipAddress(`10.1.0.${number}`), { weight }),
    });
    const numbers = Array.from({ length: 250 }, (_, index) => index + 1);
    const service: IpvsOperation = { kind: 'add-service', service: webService };
    const added = await narrow.apply([service, ...numbers.map((number) => add(number, 1))]);
    assert.deepEqual(
      added.filter((error) => error !== undefined),
      [],
    );
    // All are refused. A refusal that was lost shows in the table: the server is not as wanted.
    const others = await narrow.apply(numbers.map((number) => add(number, 2)));
    assert.deepEqual(
      new Set(others.map((error) => error?.errnoName)),
      new Set(['EEXIST', 'ENOBUFS']),
    );
    assert.deepEqual(
      new Set(others.map((error) => error?.code)),
      new Set(['IPVS_REFUSED', 'NETLINK_TIMEOUT']),
    );
    // A lost refusal of what is there just so is no error: the table is as wanted.
    const same = await narrow.apply(numbers.map((number) => add(number, 1)));
    assert.deepEqual(
      new Set(same.map((error) => error?.errnoName)),
      new Set(['EEXIST', undefined]),
    );
    assert.equal((await narrow.servers(web)).length, numbers.length);
  },
);

ipvsTest(
  'entries that the model has no words for are left out and counted',
  async (table, context) => {
    await table.apply([
      { kind: 'add-service', service: webService },
      { kind: 'add-server', service: web, server: first },
    ]);
    const netlink = createGenericNetlink();
    context.after(() => netlink.close());
    const familyId = await netlink.resolveFamily(ipvsFamily.name);
    assert.ok(familyId !== undefined);
    const { payload } = encodeOperation({
      kind: 'add-server',
      service: web,
      server: { ...second, forwarding: 'tunnel' },
    });
    type Values = AttributeValues<typeof commandAttributes>;
    const server_: Values = decodeAttributes(commandAttributes, payload);
    const icmp: Values = decodeAttributes(
      commandAttributes,
      encodeOperation({ kind: 'add-service', service: webService }).payload,
    );
    const outcomes = await netlink.exchange(familyId, ipvsFamily.version, [
      {
        command: ipvsCommands.newServer,
        dump: false,
        payload: encodeAttributes(commandAttributes, {
          ...server_,
          server: { ...server_.server, tunnelType: 77 },
        }),
      },
      {
        command: ipvsCommands.newService,
        dump: false,
        payload: encodeAttributes(commandAttributes, { service: { ...icmp.service, protocol: 1 } }),
      },
    ]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['done', 'done'],
    );
    assert.equal((await table.services()).length, 1);
    assert.deepEqual(
      (await table.servers(web)).map(({ address }) => address),
      [first.address],
    );
    assert.equal(table.undecodableEntries, 2);
  },
);

ipvsTest('what a newer program sets beyond this model does no harm to a change', async (table) => {
  const unknownAttributes = [{ id: 77, payload: Buffer.of(1, 2, 3, 4) }];
  const results = await table.apply([
    { kind: 'add-service', service: { ...webService, unknownAttributes } },
    { kind: 'add-server', service: web, server: { ...first, unknownAttributes } },
    { kind: 'edit-server', service: web, server: { ...first, weight: 5, unknownAttributes } },
  ]);
  assert.deepEqual(results, [undefined, undefined, undefined]);
  const [listed] = await table.servers(web);
  assert.equal(listed?.weight, 5);
  // This kernel does not know them, and so it does not tell of them either.
  assert.equal(listed.unknownAttributes, undefined);
});

ipvsTest('timeouts are read and set, each by itself', async (table) => {
  const before = await table.timeouts();
  await table.setTimeouts({ tcpSeconds: 1_000, udpSeconds: 77 });
  const after = { ...before, tcpSeconds: 1_000, udpSeconds: 77 };
  assert.deepEqual(await table.timeouts(), after);
  assert.match(await ipvsadm('-L', '--timeout'), new RegExp(`: 1000 ${before.tcpFinSeconds} 77`));
  await assert.rejects(
    table.setTimeouts({ tcpFinSeconds: 0xffff_ffff }),
    (error) =>
      error instanceof TandemError &&
      error.errnoName === 'EINVAL' &&
      /tcpfin timeout of 4294967295 s is more than the kernel can count/.test(error.message),
  );
  // 0 and what is not named stay as they are; nothing at all is no error.
  await table.setTimeouts({ tcpSeconds: 0 });
  await table.setTimeouts({});
  assert.deepEqual(await table.timeouts(), after);
  await table.setTimeouts(before);
});

ipvsTest('counters are read, shown with their servers, and set to zero', async (table, context) => {
  const identity = { ...web, address: ipAddress('10.99.0.100') };
  const local = server(ipAddress('10.99.0.1'));
  addLocalAddress(identity.address);
  addLocalAddress(local.address);
  await echoServer(context, local.address, local.port);
  await table.apply([
    { kind: 'add-service', service: { ...webService, identity } },
    { kind: 'add-server', service: identity, server: local },
  ]);
  const socket = await openConnection(context, identity);
  assert.equal(await ask(socket, 'hello'), '10.99.0.1 hello');
  assert.equal((await table.servers(identity))[0]?.activeConnections, 1);
  // The kernel brings its counters up to date every two seconds.
  await eventually(async () => {
    const [service] = await table.services();
    const [only] = await table.servers(identity);
    return service?.statistics.connections === 1n && only?.statistics.connections === 1n;
  }, 'one connection is counted');
  const [listed] = await table.servers(identity);
  assert.ok((listed?.statistics.incomingPackets ?? 0n) >= 3n);
  assert.ok((listed?.statistics.outgoingBytes ?? 0n) > 100n);
  await table.zero(identity);
  assert.equal((await table.servers(identity))[0]?.statistics.connections, 0n);
  await table.zero();
  await assert.rejects(table.zero(missing), /zero the counters of tcp:\/\/10\.0\.0\.1:81: ESRCH/);
});

ipvsTest('a process without privilege is told what it needs', async () => {
  assert.ok(process.seteuid !== undefined);
  const { seteuid } = process;
  seteuid(65_534);
  try {
    await assert.rejects(
      openIpvsTable(),
      (error) =>
        error instanceof TandemError && error.code === 'PERMISSION' && /root/.test(error.hint),
    );
  } finally {
    seteuid(0);
  }
});

ipvsTest('requests of several callers at once are answered to the right one', async (table) => {
  await table.apply([
    { kind: 'add-service', service: webService },
    { kind: 'add-server', service: web, server: first },
    { kind: 'add-service', service: { ...webService, identity: missing } },
  ]);
  const [services, servers, none, info, applied] = await Promise.all([
    table.services(),
    table.servers(web),
    table.servers(missing),
    table.info(),
    table.apply([{ kind: 'add-server', service: missing, server: second }]),
  ]);
  assert.equal(services.length, 2);
  assert.deepEqual(
    servers.map(({ address }) => address),
    [first.address],
  );
  assert.equal(none.length, 0);
  assert.match(info.version, /^1\./);
  assert.deepEqual(applied, [undefined]);
});

ipvsTest('a closed table refuses every request', async () => {
  const closed = await openIpvsTable();
  closed.close();
  await assert.rejects(closed.services(), /the netlink socket is closed/);
});
