/**
 * Every way to wrap packets for a server behind a tunnel: what the file says, as the agent programs
 * it, as it is on the wire, and as real servers of this kernel take it out and answer it.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkConfigText } from '../../src/config/checkText.js';
import { collectRealServer } from '../../src/doctor/collect/realServer.js';
import { diagnoseRealServer } from '../../src/doctor/diagnose.js';
import type { Finding } from '../../src/doctor/findings.js';
import { purposesOf } from '../../src/doctor/purpose.js';
import { Lab } from '../../src/drill/lab.js';
import type { RequestRecord } from '../../src/drill/loadProtocol.js';
import { isActive } from '../../src/drill/pairReadiness.js';
import { sendPlainRequest } from '../../src/drill/plainRequest.js';
import { applyRealServer, realServerGaps, revertRealServer } from '../../src/host/realServer.js';
import { realServerPlansOf } from '../../src/host/realServerPlan.js';
import { listGuePorts } from '../../src/kernel/guePorts.js';
import { openPacketSocket } from '../../src/kernel/packetSocket.js';
import { decodeEthernetFrame, formatMacAddress } from '../../src/wire/ethernet.js';
import { type IpAddress, ipAddress, ipToBytes } from '../../src/wire/ipAddress.js';
import { decodeIpPacket, type IpPacket } from '../../src/wire/ipPacket.js';
import { WireError } from '../../src/wire/wireError.js';
import { examine, on } from './doctorSupport.js';
import { ipvsTest } from './ipvsSupport.js';
import {
  routes,
  serverAddress,
  tunnelTypesConfig,
  tunnelTypesTopology,
  virtual,
  type Way,
  wayName,
  ways,
} from './tunnelTypesSupport.js';

const client = { 4: ipAddress('172.25.254.111'), 6: ipAddress('2001:db8:12::111') } as const;
/** IPv6 takes the virtual address as well, which the director has. */
const directors: readonly IpAddress[] = [
  ipAddress('192.168.0.200'),
  ipAddress('2001:db8:10::200'),
  virtual[6],
];
const timeToLive = 64;

ipvsTest('every kind of tunnel between every two families carries clients', async (_, t) => {
  const lab = new Lab(tunnelTypesTopology, 'embedded', 'drill');
  t.after(() => lab.remove());
  for (const [node = '', command = ''] of routes) on(lab, node, command);
  const agent = lab.agent('lb1');
  const config = tunnelTypesConfig(agent.socketPath);
  const { configs, problems } = checkConfigText(config);
  assert.deepEqual(problems, []);
  const services = configs[0]?.services ?? [];
  writeFileSync(agent.configPath, config);
  const statePath = (number: 1 | 2): string => join(lab.folder, `prepared-${number}.json`);
  const plansOf = (number: 1 | 2) =>
    ([4, 6] as const).flatMap((family) =>
      realServerPlansOf(services, serverAddress(family, number)),
    );
  const before = devicesAndAddresses(lab);
  for (const number of [1, 2] as const) {
    lab.network.namespace(`rs${number}`).run(() => {
      for (const plan of plansOf(number)) applyRealServer(plan, statePath(number));
      // Each plan is kept by those that came after it.
      assert.deepEqual(plansOf(number).flatMap(realServerGaps), []);
    });
  }
  await lab.startServers();
  lab.startAgent('lb1');
  await agent.waitForStatus('programmed every service as Active', 120_000, (status) => {
    const servers = status.services.flatMap((service) => service.servers);
    const known = servers.every(({ weight }) => weight.kernel === weight.configured);
    return isActive(status) && servers.length === ways.length && known;
  });
  for (const way of ways) {
    await t.test(wayName(way), async () => {
      const { record, requests } = await requestWatched(lab, way);
      assert.deepEqual(record.result, { server: `rs${way.server}` });
      assert.ok(requests.length >= 3, `${requests.length} packets of a connection`);
      for (const outer of requests) {
        assert.equal(outer.destination, serverAddress(way.outer, way.server));
        const inner = decodeIpPacket(way.open(outer, way));
        const { source, destination, protocol, payload } = inner;
        assert.deepEqual(
          [source, destination, protocol],
          [client[way.inner], virtual[way.inner], 6],
        );
        assert.equal(Buffer.from(payload).readUInt16BE(2), way.port);
        // The router has passed it, and the director.
        assert.equal(inner.timeToLive, timeToLive - 2);
      }
    });
  }
  const lookAtServer = async (number: 1 | 2): Promise<readonly Finding[]> => {
    lab.network.namespace(`rs${number}`).enter();
    const findings: Finding[] = [];
    for (const family of [4, 6] as const) {
      for (const purpose of purposesOf(configs, serverAddress(family, number))) {
        findings.push(...diagnoseRealServer(await collectRealServer(purpose)));
      }
    }
    return findings;
  };
  const lookAtDirector = (): Promise<readonly Finding[]> => {
    lab.network.namespace('lb1').enter();
    const { configPath, socketPath: socket } = agent;
    return examine({ configPath, configRequired: true, socket });
  };
  await t.test('the doctor has nothing to say, on the director and on the servers', async () => {
    assert.deepEqual(await lookAtDirector(), []);
    assert.deepEqual([...(await lookAtServer(1)), ...(await lookAtServer(2))], []);
  });
  await t.test(
    'the doctor finds a GUE port that is closed and a GRE device that is down',
    async () => {
      on(lab, 'rs1', 'ip fou del port 6080');
      on(lab, 'rs2', 'ip link set tandem-gre down');
      const findings = await lookAtDirector();
      const seen = findings.map(({ id, what, seen, todo }) =>
        [id, what, ...seen, ...todo].join('\n'),
      );
      assert.ok(
        findings.every(({ id }) => id === 'tunnel-missing'),
        seen.join('\n'),
      );
      assert.match(seen.join('\n'), /192\.168\.1\.10 was refused \(ICMP: nobody takes it in\)/);
      assert.match(seen.join('\n'), /--tunnel gue --tunnel-port 6080 --tunnel-checksum remote/);
      assert.match(seen.join('\n'), /in a gre tunnel to 192\.168\.1\.20/);
      const onServers = [...(await lookAtServer(1)), ...(await lookAtServer(2))];
      const texts = onServers.flatMap((finding) => finding.seen).join('\n');
      assert.match(texts, /UDP port 6080 is not open for GUE over IPv4/);
      assert.match(texts, /tandem-gre is down/);
    },
  );
  await t.test('what was applied can be taken back, and leaves nothing', () => {
    for (const number of [1, 2] as const) {
      lab.network.namespace(`rs${number}`).run(() => {
        revertRealServer(statePath(number));
        assert.deepEqual(listGuePorts(), []);
      });
    }
    assert.deepEqual(devicesAndAddresses(lab), before);
  });
});

/** What the servers have that is up, and their addresses. */
function devicesAndAddresses(lab: Lab): readonly string[] {
  return ['rs1', 'rs2'].flatMap((node) =>
    ['ip -o link show up', 'ip -o address show scope global'].flatMap((command) =>
      on(lab, node, command)
        .split('\n')
        .map((line) => line.replace(/valid_lft.*| qdisc .*| qlen.*/, '')),
    ),
  );
}

/** Sends one request, and keeps its packets that came to the servers' network in a tunnel. */
async function requestWatched(
  lab: Lab,
  { inner, port }: Way,
): Promise<{ readonly record: RequestRecord; readonly requests: readonly IpPacket[] }> {
  const socket = lab.network.atNetwork('far', (interfaceIndex) =>
    openPacketSocket({ interfaceIndex, etherType: 'all', receive: true, promiscuous: true }),
  );
  try {
    lab.network.namespace('client').enter();
    const record = await new Promise<RequestRecord>((resolve) => {
      const target = { address: virtual[inner], port, localAddress: client[inner] };
      const request = sendPlainRequest(target, (done) => {
        clearTimeout(timer);
        resolve(done);
      });
      const timer = setTimeout(() => request.expire(), 20_000);
    });
    const fromRouter = lab.network.macAddress('router', 'far');
    const requests: IpPacket[] = [];
    for (let frame = socket.receive(); frame !== undefined; frame = socket.receive()) {
      const packet = requestOf(frame.bytes, fromRouter);
      // The connection before this one may end while this one is captured.
      if (packet !== undefined && isTo(packet, virtual[inner], port)) requests.push(packet);
    }
    return { record, requests };
  } finally {
    socket.close();
  }
}

/** Whether a packet has one for this address and TCP port in it, however it is wrapped. */
function isTo({ payload }: IpPacket, address: IpAddress, port: number): boolean {
  const bytes = Buffer.from(payload);
  const at = bytes.indexOf(ipToBytes(address));
  // The destination ends the header, and the source port comes before that of the destination.
  const portAt = at + ipToBytes(address).length + 2;
  return at >= 0 && portAt + 2 <= bytes.length && bytes.readUInt16BE(portAt) === port;
}

/** A packet that the router has passed on for the director; `undefined` for anything else. */
function requestOf(bytes: Uint8Array, fromRouter: string): IpPacket | undefined {
  try {
    const frame = decodeEthernetFrame(bytes);
    if (formatMacAddress(frame.source) !== fromRouter) return undefined;
    const packet = decodeIpPacket(frame.payload);
    if (!directors.includes(packet.source)) return undefined;
    // A capture shares the bytes with the receiver, which has taken off the length of what it
    // unwrapped by the time that this reads them (fou_core.c, fou_recv_pull).
    const header = packet.family === 4 ? 20 : 40;
    return { ...packet, payload: frame.payload.subarray(header) };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
