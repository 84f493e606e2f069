/** Where probes come from and go to: every kind, with the firewall of the kernel as the judge. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { familyOf, type IpAddress } from '../../../src/wire/ipAddress.js';
import { type CheckText, configuredCheck, probeBy } from './support/configuredCheck.js';
import {
  otherAddress,
  otherAddress6,
  serverAddress,
  serverAddress6,
  serverTest,
} from './support/serverScene.js';

const mark = 4711;

/** Every kind that sends packets, in every way that it opens sockets. */
const checks: readonly CheckText[] = [
  { type: 'tcp' },
  { type: 'tcp', expect: 'x' },
  { type: 'tls' },
  { type: 'http' },
  { type: 'http', version: '2' },
  { type: 'https' },
  { type: 'udp', send: 'x' },
  { type: 'dns' },
  { type: 'dns', transport: 'tcp' },
  { type: 'icmp' },
  { type: 'smtp' },
  { type: 'imap', encryption: 'tls' },
  { type: 'pop3' },
  { type: 'ftp' },
  { type: 'redis' },
  { type: 'mysql' },
  { type: 'postgres' },
  { type: 'grpc' },
  { type: 'agent' },
];

/** The closed port that the check with this number goes to. */
const portOf = (index: number): number => 9_000 + index;

/** What the packets of all checks must be like. */
interface Route {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** 0: none. */
  readonly mark: number;
}

/** Rules that count what leaves this machine in this way, one for each check. */
function watch({ source, destination, mark: marked }: Route): void {
  const [family, echo] = familyOf(source) === 4 ? ['ip', 'icmp'] : ['ip6', 'icmpv6'];
  const way = `${family} saddr ${source} ${family} daddr ${destination} meta mark ${marked}`;
  const rules = checks.map(({ type }, index) => {
    const which = type === 'icmp' ? `${echo} type echo-request` : `th dport ${portOf(index)}`;
    return `add rule inet judge output ${way} ${which} counter comment "check ${index}"`;
  });
  const chain = 'add chain inet judge output { type filter hook output priority 0; }';
  const script = ['add table inet judge', chain, 'flush chain inet judge output', ...rules];
  execFileSync('nft', ['-f', '-'], { input: script.join('\n') });
}

/** The checks of which no packet has been counted. */
function unseen(): readonly string[] {
  const text = execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' });
  return checks.flatMap((check, index) => {
    const packets = new RegExp(`packets (\\d+) bytes \\d+ comment "check ${index}"`).exec(
      text,
    )?.[1];
    return Number(packets) > 0 ? [] : [JSON.stringify(check)];
  });
}

serverTest('probes come from and go to where the check says', ['nft'], async (scene) => {
  const t = scene.context;
  for (const [family, server, source] of [
    ['IPv4', serverAddress, otherAddress],
    ['IPv6', serverAddress6, otherAddress6],
  ] as const) {
    for (const [title, keys, marked] of [
      ['a source', { source }, 0],
      ['a mark', { mark }, mark],
      ['a source and a mark', { source, mark }, mark],
    ] as const) {
      await t.test(`every kind of probe has ${title} over ${family}`, async () => {
        watch({
          source: 'source' in keys ? source : server,
          destination: server,
          mark: marked,
        });
        for (const [index, check] of checks.entries()) {
          const target = { address: server, port: portOf(index) };
          const { reason, detail } = await probeBy({ ...check, ...keys }, target);
          // Nobody listens, which an agent may be excused for, and an echo does not mind.
          const expected = { icmp: 'passed', agent: 'agent-silent' }[check.type];
          assert.equal(
            reason,
            expected ?? 'connection-refused',
            `${JSON.stringify(check)} ${detail}`,
          );
        }
        assert.deepEqual(unseen(), []);
      });
    }

    await t.test(`every kind of probe goes elsewhere over ${family} if told to`, async () => {
      watch({ source, destination: source, mark: 0 });
      for (const [index, check] of checks.entries()) {
        const elsewhere = { ...check, address: source, port: portOf(index), source };
        const target = { address: server, port: 80 };
        const spec = configuredCheck(elsewhere, target);
        assert.deepEqual([spec.address, spec.port], [source, portOf(index)]);
        await probeBy(elsewhere, target);
      }
      assert.deepEqual(unseen(), []);
    });
  }

  await t.test('a source that this machine does not have says nothing of the server', async () => {
    for (const check of checks) {
      for (const keys of [{}, { mark }]) {
        const missing = { ...check, ...keys, source: '192.0.2.99' };
        const target = { address: serverAddress, port: 80 };
        const { result, reason, detail } = await probeBy(missing, target);
        const text = `${JSON.stringify(missing)}: ${detail}`;
        assert.deepEqual([result, reason], ['inconclusive', 'local-address'], text);
      }
    }
  });
});
