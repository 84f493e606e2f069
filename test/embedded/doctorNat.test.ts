import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FindingId } from '../../src/doctor/findings.js';
import { readProcConnections } from '../../src/drill/ipvsProcTable.js';
import type { Lab } from '../../src/drill/lab.js';
import { isReady } from '../../src/drill/pairReadiness.js';
import { readSysctl, writeSysctl } from '../../src/kernel/sysctl.js';
import type { IpAddress } from '../../src/wire/ipAddress.js';
import type { IpvsOperation, IpvsServer, ServiceIdentity } from '../../src/wire/ipvsModel.js';
import { runProgram } from '../drill/support/program.js';
import {
  assertFirst,
  change,
  doctorLab,
  examine,
  knock,
  on,
  serviceWith,
  tcp,
  virtualAddress,
} from './doctorSupport.js';
import { eventually, ipvsTest } from './ipvsSupport.js';

/** What is broken, how it is mended, and what the doctor shall say. */
interface PlantedFault {
  readonly name: string;
  readonly id: FindingId;
  readonly texts: readonly RegExp[];
  plant(lab: Lab): unknown;
  mend(lab: Lab): unknown;
  /** Where clients come from; absent: none come. */
  readonly clients?: { readonly node: string; readonly port: number };
  /** What is found beside it. */
  readonly also?: readonly FindingId[];
  /** How long it must be looked, where clients have to ask again. */
  readonly windowMs?: number;
}

const shop = tcp(virtualAddress, 8080);
const marked: ServiceIdentity = { kind: 'fwmark', family: 4, fwmark: 66 };

const faults: readonly PlantedFault[] = [
  {
    name: 'forwarding that is off',
    id: 'forwarding-off',
    texts: [/net\.ipv4\.ip_forward is 0/, /sysctl -w net\.ipv4\.ip_forward=1/],
    plant: () => writeSysctl('net.ipv4.ip_forward', '0'),
    mend: () => writeSysctl('net.ipv4.ip_forward', '1'),
  },
  {
    name: 'a firewall that drops what is forwarded, so that requests arrive and answers do not',
    id: 'firewall-drops-answers',
    texts: [/policy DROP of iptables.* table filter, chain FORWARD \(\d+ packets/, /:8080/],
    plant: (lab) => on(lab, 'lb1', 'iptables-legacy -P FORWARD DROP'),
    mend: (lab) => on(lab, 'lb1', 'iptables-legacy -P FORWARD ACCEPT'),
    clients: { node: 'client', port: 80 },
  },
  {
    name: 'a rule for established connections only, which balanced ones never are',
    id: 'firewall-drops-answers',
    texts: [/-A FORWARD -j REJECT/, /ESTABLISHED does not match/],
    plant: (lab) => {
      on(lab, 'lb1', 'iptables-legacy -A FORWARD -m state --state ESTABLISHED -j ACCEPT');
      on(lab, 'lb1', 'iptables-legacy -A FORWARD -j REJECT');
    },
    mend: (lab) => on(lab, 'lb1', 'iptables-legacy -F FORWARD'),
  },
  {
    name: 'a firewall that rejects one service',
    id: 'firewall-drops-requests',
    texts: [
      /-A INPUT -p tcp -m tcp --dport 8080 -j DROP/,
      /tcp:\/\/172\.25\.254\.100:8080 on eth0/,
    ],
    plant: (lab) => on(lab, 'lb1', 'iptables-legacy -A INPUT -p tcp --dport 8080 -j DROP'),
    mend: (lab) => on(lab, 'lb1', 'iptables-legacy -F INPUT'),
  },
  {
    name: 'a server whose gateway is not the director',
    id: 'gateway-elsewhere',
    texts: [
      /server 192\.168\.0\.10 do not come back/,
      /ip route replace default via 192\.168\.0\.10[01]/,
      /connections wait for an answer of 192\.168\.0\.10: 172\.25\.254\.\d+:\d+/,
    ],
    plant: (lab) => on(lab, 'rs1', 'ip route replace default via 192.168.0.222'),
    mend: (lab) => on(lab, 'rs1', 'ip route replace default via 192.168.0.100'),
    clients: { node: 'client', port: 80 },
  },
  {
    name: 'another machine with the virtual address',
    id: 'second-machine-answers',
    texts: [/virtual address 172\.25\.254\.100, which this one has/, /answered an ARP request/],
    plant: (lab) => on(lab, 'lb2', 'ip address add 172.25.254.100/24 dev eth0'),
    mend: (lab) => on(lab, 'lb2', 'ip address del 172.25.254.100/24 dev eth0'),
  },
  {
    name: 'a virtual address that nobody has',
    id: 'virtual-address-nowhere',
    texts: [/Nobody has the virtual address 172\.25\.254\.100/, /on eth0/],
    plant: (lab) => on(lab, 'lb1', 'ip address del 172.25.254.100/24 dev eth0'),
    mend: (lab) => on(lab, 'lb1', 'ip address add 172.25.254.100/24 dev eth0'),
  },
  {
    name: 'a server that does not listen',
    id: 'server-refuses',
    texts: [/Nothing listens at 192\.168\.0\.20:80/, /ECONNREFUSED/],
    plant: (lab) => lab.setServer('rs2', 'killed'),
    mend: (lab) => lab.setServer('rs2', 'healthy'),
  },
  {
    name: 'a server whose firewall drops the service',
    id: 'server-unreachable',
    texts: [/192\.168\.0\.20:80(80)? is not reachable/, /no answer within \d+ ms/, /firewall on/],
    plant: (lab) => on(lab, 'rs2', 'iptables-legacy -A INPUT -p tcp -j DROP'),
    mend: (lab) => on(lab, 'rs2', 'iptables-legacy -F INPUT'),
  },
  {
    name: 'a server that is not there',
    id: 'server-unreachable',
    texts: [/nobody answers ARP for 192\.168\.0\.20 on eth1/],
    plant: (lab) => lab.network.setLinks('rs2', false),
    mend: (lab) => plug(lab, 'rs2'),
  },
  {
    name: 'a cable that is pulled',
    id: 'link-down',
    texts: [/eth0 is up and has no carrier/, /the way to 172\.25\.254\.100/],
    plant: (lab) => lab.network.setLinks('lb1', false),
    mend: (lab) => plug(lab, 'lb1'),
  },
  {
    name: 'a client beside its server',
    id: 'client-beside-server',
    texts: [/Clients on the network of 192\.168\.0\.\d+ get its answers past/, /192\.168\.0\.102:/],
    plant: (lab) => on(lab, 'lb2', 'ip route add 172.25.254.100 via 192.168.0.100'),
    mend: (lab) => on(lab, 'lb2', 'ip route del 172.25.254.100'),
    clients: { node: 'lb2', port: 80 },
    windowMs: 3_500,
  },
  {
    name: 'a service by a firewall mark that nobody sets',
    id: 'mark-missing',
    texts: [/No packet gets the firewall mark 66/, /-j MARK --set-mark 0x42/],
    plant: () => change(serviceWith(marked, 'nat', ['192.168.0.10'])),
    mend: () => change([{ kind: 'delete-service', service: marked }]),
  },
  {
    name: 'persistent clients of a server with weight 0',
    id: 'persistent-clients-stay',
    texts: [/expire_quiescent_template is 0/, /remembers 1 for it: 172\.25\.254\.\d+/],
    plant: async () => {
      writeSysctl('net.ipv4.vs.expire_quiescent_template', '0');
      await weigh(rememberedServer(), 0);
    },
    mend: async () => {
      writeSysctl('net.ipv4.vs.expire_quiescent_template', '1');
      await weigh(rememberedServer(), 1);
    },
  },
  {
    name: 'the strict reverse path filter where clients come in by another way',
    id: 'reverse-path-filter',
    texts: [/has dropped [1-9]\d* packets/, /strict \(rp_filter 1\) on .*eth0/],
    plant: (lab) => {
      writeSysctl('net.ipv4.conf.eth0.rp_filter', '1');
      on(lab, 'lb1', 'ip route add 172.25.254.111 dev eth1');
    },
    mend: (lab) => {
      writeSysctl('net.ipv4.conf.eth0.rp_filter', '0');
      on(lab, 'lb1', 'ip route del 172.25.254.111');
    },
    clients: { node: 'client', port: 80 },
  },
];

/** The kernel tells of a carrier that is back some time later. */
function plug(lab: Lab, node: string): Promise<void> {
  lab.network.setLinks(node, true);
  return eventually(
    async () => !/NO-CARRIER|state DOWN/.test(on(lab, node, 'ip link show type veth')),
    'the carrier is back',
  );
}

/** The server that the client of the persistent service has been sent to. */
function rememberedServer(): IpAddress {
  const template = readProcConnections().find(({ clientPort }) => clientPort === 0);
  assert.ok(template !== undefined);
  return template.serverAddress;
}

function weigh(address: IpAddress, weight: number): Promise<void> {
  const server: IpvsServer = {
    address,
    port: 8080,
    forwarding: 'nat',
    weight,
    upperThreshold: 0,
    lowerThreshold: 0,
  };
  return change([{ kind: 'edit-server', service: shop, server }]);
}

ipvsTest(
  'faults that are planted in a NAT lab are found, and nothing on a healthy one',
  async (_, t) => {
    const lab = await doctorLab(t, 'nat');
    lab.network.namespace('lb1').enter();
    writeSysctl('net.ipv4.conf.all.rp_filter', '0');
    on(lab, 'lb1', 'ip address add 172.25.254.100/24 dev eth0');
    on(lab, 'lb1', 'ip address add 192.168.0.100/24 dev eth1');
    const servers = ['192.168.0.10', '192.168.0.20'];
    await change([
      ...serviceWith(tcp(virtualAddress, 80), 'nat', servers),
      ...serviceWith(shop, 'nat', servers, true),
    ]);
    // Clients that are served, one of them remembered.
    const served = [knock(lab, 'client', 80), knock(lab, 'client', 8080, { count: 1 })];
    t.after(() => {
      for (const poller of served) poller.close();
    });
    await t.test('a healthy lab has no finding', async () => {
      assert.deepEqual(await examine({ windowMs: 1_500 }), []);
    });
    for (const { name, id, texts, plant, mend, clients, also = [], windowMs = 0 } of faults) {
      await t.test(`${name}: ${id}`, async () => {
        await plant(lab);
        const poller = clients && knock(lab, clients.node, clients.port);
        const findings = await examine({ windowMs });
        poller?.close();
        await mend(lab);
        assertFirst(findings, id, ...texts);
        // So nothing is left of the faults before it either.
        const others = findings.map((finding) => finding.id).filter((found) => found !== id);
        assert.deepEqual(others, also);
      });
    }
    await t.test('the command tells the same, with its evidence and an exit status', async () => {
      const socket = ['--socket', '/nowhere'];
      writeSysctl('net.ipv4.ip_forward', '0');
      const { status, stdout } = await runProgram(['doctor', '--passive', ...socket]);
      writeSysctl('net.ipv4.ip_forward', '1');
      assert.equal(status, 1);
      assert.match(
        stdout,
        /^1 thing is wrong\.\n\n1\. The director does not forward .*\n {3}seen: /,
      );
      assert.match(stdout, /\n {3}do: +`sysctl -w net\.ipv4\.ip_forward=1`/);
      assert.match(
        stdout,
        /\nnot looked at: servers and neighbours were not asked \(--passive\)\n$/,
      );
    });
    await t.test('when all faults are mended, nothing is found', async () => {
      assert.deepEqual(await examine({ windowMs: 1_500 }), []);
    });
    await t.test(
      'an empty service, a bad file, a missing agent and a missing scheduler',
      async (context) => {
        const folder = mkdtempSync(join(tmpdir(), 'tandem-doctor-'));
        context.after(() => rmSync(folder, { recursive: true }));
        const path = join(folder, 'tandem.yaml');
        writeFileSync(path, 'cluster: x\nnodez: {}\n');
        const options = { configPath: path, configRequired: true, active: true };
        assertFirst(await examine(options), 'configuration-bad', /tandem\.yaml:2:1 nodez/);
        writeFileSync(path, configText(folder, 'rr'));
        assertFirst(await examine(options), 'agent-missing', /systemctl start tandem/);
        const modprobe = readSysctl('kernel.modprobe');
        writeFileSync(join(folder, 'modprobe'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
        writeSysctl('kernel.modprobe', join(folder, 'modprobe'));
        context.after(() => writeSysctl('kernel.modprobe', modprobe));
        writeFileSync(path, configText(folder, 'mh'));
        assertFirst(
          await examine(options),
          'scheduler-missing',
          /no scheduler mh/,
          /service web wants/,
        );
        on(lab, 'lb1', 'iptables-legacy -A INPUT -p vrrp -j DROP');
        assertFirst(await examine(options), 'firewall-drops-advertisements', /drops VRRP on eth0/);
        on(lab, 'lb1', 'iptables-legacy -F INPUT');
      },
    );
    await t.test('with an agent at work there is no finding', async () => {
      await change([tcp(virtualAddress, 80), shop].map(removal));
      lab.startAgent('lb1');
      const agent = lab.agent('lb1');
      await agent.waitForStatus('become Active', 120_000, (status) =>
        isReady(status, lab.topology, 'active'),
      );
      const { configPath, socketPath: socket } = agent;
      assert.deepEqual(await examine({ configPath, configRequired: true, socket }), []);
    });
  },
);

function removal(identity: ServiceIdentity): IpvsOperation {
  return { kind: 'delete-service', service: identity };
}

function configText(folder: string, scheduler: string): string {
  return `
cluster: doctor
nodes:
  lb1: { address: 172.25.254.101, interface: eth0 }
  lb2: { address: 172.25.254.102, interface: eth0 }
virtualRouters:
  - { name: outside, vrid: 51, priority: { lb1: 150, lb2: 100 }, addresses: [172.25.254.100/24] }
services:
  - name: web
    listen: tcp://172.25.254.100:80
    scheduler: ${scheduler}
    forward: nat
    servers: [{ address: '192.168.0.10:80' }]
api: { socket: ${folder}/tandem.sock }
`;
}
