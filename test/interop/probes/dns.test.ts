/** The dns and udp checks against Debian's dnsmasq, as a resolver and as the owner of a zone. */
import assert from 'node:assert/strict';
import { encode } from 'dns-packet';
import { waitFor } from '../../tools/waiting.js';
import { type CheckText, probeBy } from './support/configuredCheck.js';
import { tryDatagramFaults } from './support/datagramFaults.js';
import { assertFailed, tryFaults } from './support/faultMatrix.js';
import { serverAddress, serverAddress6, serverTest } from './support/serverScene.js';

const resolver = { address: serverAddress, port: 53 };
const owner = { address: serverAddress, port: 5353 };

const records = [
  '--host-record=www.example.org,192.0.2.80,2001:db8::80',
  '--address=/many.example.org/192.0.2.1',
  '--mx-host=example.org,mail.example.org,10',
  '--txt-record=example.org,"v=spf1 -all"',
  '--srv-host=_sip._tcp.example.org,sip.example.org,5060,7,3',
  '--cname=alias.example.org,www.example.org',
  '--ptr-record=80.2.0.192.in-addr.arpa,www.example.org',
  '--caa-record=example.org,0,issue,ca.example.org',
];

serverTest(
  'the dns and udp checks know a dnsmasq that works from one that does not',
  ['dnsmasq'],
  async (scene) => {
    const t = scene.context;
    const common = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--user=root',
      '--pid-file',
      '--bind-interfaces',
    ];
    const zone = [
      '--port=5353',
      '--auth-server=ns.example.org,lo',
      '--auth-zone=example.org',
      '--auth-soa=2026112501,hostmaster.example.org,1200,120,604800',
    ];
    const listen = [`--listen-address=${serverAddress}`, `--listen-address=${serverAddress6}`];
    await Promise.all([
      scene.start(
        'dnsmasq',
        [
          ...common,
          '--port=53',
          ...listen,
          ...records,
          `--txt-record=long.example.org${`,"${'0123456789'.repeat(4)}"`.repeat(20)}`,
        ],
        [53],
      ),
      scene.start('dnsmasq', [...common, ...zone, ...records, '--interface=lo'], [5353]),
    ]);
    const base: CheckText = {
      type: 'dns',
      name: 'www.example.org',
      recordType: 'A',
      minAnswers: 1,
    };
    const passes = async (check: CheckText, server = resolver) => {
      const { reason, detail } = await probeBy(check, server);
      assert.equal(reason, 'passed', `${JSON.stringify(check)}: ${reason}, ${detail}`);
      return detail;
    };
    const fails = async (check: CheckText, detail: RegExp, server = resolver) => {
      const outcome = await probeBy(check, server);
      assertFailed(JSON.stringify(check), outcome, ['unexpected-answer']);
      assert.match(outcome.detail, detail);
    };

    for (const transport of ['udp', 'tcp']) {
      await t.test(`every kind of record is asked for and read, over ${transport}`, async () => {
        const asked = { ...base, transport };
        const of = (name: string, recordType: string, answers: readonly string[]) =>
          passes({ ...asked, name, recordType, answers });
        assert.equal(await of('www.example.org', 'A', ['192.0.2.80']), 'NOERROR: 192.0.2.80');
        await of('WWW.example.org.', 'A', ['192.0.2.80']);
        await of('www.example.org', 'AAAA', ['2001:db8::80']);
        await of('www.example.org', 'AAAA', ['2001:DB8:0:0::0080']);
        await of('example.org', 'MX', ['10 mail.example.org.']);
        await of('example.org', 'TXT', ['v=spf1 -all']);
        await of('_sip._tcp.example.org', 'SRV', ['7 3 5060 sip.example.org.']);
        await of('alias.example.org', 'CNAME', ['www.example.org']);
        await of('alias.example.org', 'A', ['192.0.2.80']);
        await of('80.2.0.192.in-addr.arpa', 'PTR', ['www.example.org']);
        await of('example.org', 'CAA', ['0 issue "ca.example.org"']);
      });
    }

    await t.test('the owner of a zone gives its start of authority', async () => {
      const check = { ...base, name: 'example.org', recordType: 'SOA' };
      const detail = await passes(check, owner);
      assert.match(detail, /^NOERROR: ns\.example\.org hostmaster\.example\.org 2026112501 /);
      await passes({ ...check, answers: ['ns.example.org. hostmaster.example.org.'] }, owner);
      await passes(
        { ...check, answers: ['ns.example.org hostmaster.example.org 2026112501'] },
        owner,
      );
      await fails(
        { ...check, answers: ['ns.example.org hostmaster.example.org 2026'] },
        /is not in/,
        owner,
      );
    });

    await t.test('other content, another code or too few records fail', async () => {
      await fails({ ...base, answers: ['192.0.2.81'] }, /192\.0\.2\.81 is not in: 192\.0\.2\.80/);
      await fails({ ...base, minAnswers: 2 }, /fewer than 2 records: 192\.0\.2\.80/);
      await fails({ ...base, name: 'elsewhere.example' }, /REFUSED/);
      await passes({ ...base, name: 'elsewhere.example', responseCode: 'REFUSED', minAnswers: 0 });
      await fails({ ...base, name: 'none.example.org' }, /NXDOMAIN/, owner);
      await passes(
        { ...base, name: 'none.example.org', responseCode: 'NXDOMAIN', minAnswers: 0 },
        owner,
      );
      await fails({ ...base, responseCode: 'NXDOMAIN' }, /NOERROR/);
    });

    await t.test('an answer that is too long for UDP is told, and comes over TCP', async () => {
      const check = { ...base, name: 'long.example.org', recordType: 'TXT' };
      const outcome = await probeBy(check, resolver);
      assertFailed('too long', outcome, ['truncated']);
      assert.match(outcome.detail, /use transport tcp/);
      await passes({ ...check, transport: 'tcp' });
    });

    await t.test('IPv6 is asked like IPv4', async () => {
      for (const transport of ['udp', 'tcp']) {
        await passes({ ...base, transport }, { address: serverAddress6, port: 53 });
      }
    });

    const question = encode({
      type: 'query',
      id: 4711,
      flags: 0x100,
      questions: [{ type: 'A', name: 'www.example.org' }],
    });
    const udp: CheckText = {
      type: 'udp',
      send: `hex:${question.toString('hex')}`,
      expect: 'hex:c0000250',
    };
    await t.test('the udp check sends bytes and knows those that must come', async () => {
      await passes(udp);
      await passes({ ...udp, expectMatches: 'example' });
      const wrong = await probeBy({ ...udp, expect: 'hex:c0000251' }, resolver);
      assertFailed('other bytes', wrong, ['unexpected-answer']);
      assert.match(wrong.detail, /^it said ".*example/);
    });
    await t.test('silence fails unless it passes, and a refusal fails in any case', async () => {
      // The server answers nothing to what is an answer itself.
      const silent = { type: 'udp', send: 'hex:1267818000000000' };
      assertFailed('silence', await probeBy(silent, resolver, 500), ['timeout']);
      const silencePasses = { ...silent, silencePasses: true };
      const outcome = await probeBy(silencePasses, resolver, 500);
      assert.equal(outcome.reason, 'passed', outcome.detail);
      const closed = { address: serverAddress, port: 9 };
      assertFailed('closed', await probeBy(silencePasses, closed), ['connection-refused']);
      assertFailed('closed', await probeBy(silent, closed), ['connection-refused']);
    });

    await t.test('a server that fails never passes', async () => {
      const expected = { ...base, answers: ['192.0.2.80'] };
      await Promise.all([
        tryFaults([
          { title: 'dns over tcp', check: { ...expected, transport: 'tcp' }, server: resolver },
        ]),
        tryDatagramFaults([
          { title: 'dns over udp', check: expected, server: resolver },
          {
            title: 'dns soa',
            check: { ...base, name: 'example.org', recordType: 'SOA' },
            server: owner,
          },
          { title: 'udp', check: udp, server: resolver },
        ]),
      ]);
      await waitFor(
        'the server still works',
        async () => (await probeBy(base, resolver)).reason === 'passed',
      );
    });
  },
);
