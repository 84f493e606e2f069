import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FirewallRule, FirewallRuleSet } from '../../../src/kernel/firewallModel.js';
import { iptablesReplaceInput, savedLinesOf } from '../../../src/kernel/iptables.js';
import { nftReplaceScript, nftRule, readNftListing } from '../../../src/kernel/nftables.js';
import { type IpPrefix, parseIpPrefix } from '../../../src/wire/ipAddress.js';

const mark4: FirewallRule = {
  kind: 'mark',
  protocol: 'tcp',
  destination: prefix('192.0.2.1/32'),
  ports: { first: 80, last: 80 },
  mark: 66,
};
const mark6: FirewallRule = {
  kind: 'mark',
  protocol: 'udp',
  destination: prefix('2001:db8::1/128'),
  ports: { first: 5000, last: 5010 },
  mark: 4_294_967_295,
};
const everyPort: FirewallRule = {
  kind: 'mark',
  protocol: 'sctp',
  destination: prefix('192.0.2.0/24'),
  mark: 1,
};
const senderOnly: FirewallRule = {
  kind: 'sender-only',
  family: 4,
  interface: 'lo',
  port: 8849,
  userId: 990,
};
const masquerade: FirewallRule = {
  kind: 'masquerade',
  source: prefix('192.168.0.0/24'),
  interface: 'eth0',
};
const marks: FirewallRuleSet = { name: 'marks', rules: [mark4, mark6, everyPort] };

test('each kind of rule has its words in nft', () => {
  assert.equal(nftRule(mark4), 'ip daddr 192.0.2.1 tcp dport 80 meta mark set 66');
  assert.equal(
    nftRule(mark6),
    'ip6 daddr 2001:db8::1 udp dport 5000-5010 meta mark set 4294967295',
  );
  assert.equal(nftRule(everyPort), 'ip daddr 192.0.2.0/24 meta l4proto sctp meta mark set 1');
  assert.equal(
    nftRule(senderOnly),
    'meta nfproto ipv4 oifname "lo" udp dport 8849 meta skuid != 990 drop',
  );
  assert.equal(nftRule(masquerade), 'ip saddr 192.168.0.0/24 oifname "eth0" masquerade');
});

test('a set in nft is one script that empties its chain before it fills it', () => {
  assert.equal(
    nftReplaceScript({ name: 'marks', rules: [mark4] }, ['sync-output']),
    `add table inet tandem
add chain inet tandem marks-prerouting { type filter hook prerouting priority -150; policy accept; }
flush chain inet tandem marks-prerouting
add rule inet tandem marks-prerouting ip daddr 192.0.2.1 tcp dport 80 meta mark set 66
`,
  );
});

test('a set in nft without rules takes its own chains away and no other', () => {
  assert.equal(
    nftReplaceScript({ name: 'marks', rules: [] }, ['marks-prerouting', 'sync-output']),
    `add table inet tandem
flush chain inet tandem marks-prerouting
delete chain inet tandem marks-prerouting
`,
  );
});

test('a listing of nft changes when a rule, its handle or its chain does', () => {
  const listing = (handle: number, mark: number): string =>
    JSON.stringify({
      nftables: [
        { metainfo: { version: '1.0.6' } },
        { table: { family: 'inet', name: 'tandem', handle: 1 } },
        { chain: { family: 'inet', table: 'tandem', name: 'marks-prerouting', handle: 1 } },
        {
          rule: { family: 'inet', table: 'tandem', chain: 'marks-prerouting', handle, expr: mark },
        },
      ],
    });
  const text = (json: string) => readNftListing(json).get('marks-prerouting');
  assert.equal(text(listing(2, 66)), text(listing(2, 66)));
  assert.notEqual(text(listing(3, 66)), text(listing(2, 66)));
  assert.notEqual(text(listing(2, 67)), text(listing(2, 66)));
  assert.equal(readNftListing('{"nftables": []}').size, 0);
});

test('a set in iptables is one transaction for each family, with one jump', () => {
  assert.equal(
    iptablesReplaceInput(marks, 'prerouting', 4, []),
    `*mangle
:TANDEM-MARKS-PRE - [0:0]
-A TANDEM-MARKS-PRE -d 192.0.2.1 -p tcp --dport 80 -j MARK --set-xmark 66/0xffffffff
-A TANDEM-MARKS-PRE -d 192.0.2.0/24 -p sctp -j MARK --set-xmark 1/0xffffffff
-I PREROUTING -j TANDEM-MARKS-PRE
COMMIT
`,
  );
  const match = '-d 2001:db8::1 -p udp --dport 5000:5010';
  const udpMark = `-A TANDEM-MARKS-PRE ${match} -j MARK --set-xmark 4294967295/0xffffffff`;
  assert.equal(
    iptablesReplaceInput(marks, 'prerouting', 6, [
      ':TANDEM-MARKS-PRE -',
      '-A PREROUTING -j TANDEM-MARKS-PRE',
    ]),
    `*mangle
:TANDEM-MARKS-PRE - [0:0]
${udpMark}
COMMIT
`,
  );
});

test('the kernel itself may send where iptables lets one user send only', () => {
  const input = iptablesReplaceInput({ name: 'sync', rules: [senderOnly] }, 'output', 4, []);
  const match = '-A TANDEM-SYNC-OUT -o lo -p udp --dport 8849 -m owner --uid-owner';
  assert.ok(input?.includes(`${match} 990 -j RETURN\n${match} 0-4294967294 -j DROP\n`), input);
});

test('a set in iptables without rules removes its jumps and its chain', () => {
  const lines = [
    ':TANDEM-MARKS-PRE -',
    '-A PREROUTING -j TANDEM-MARKS-PRE',
    '-A PREROUTING -j TANDEM-MARKS-PRE',
    '-A TANDEM-MARKS-PRE -d 192.0.2.1/32 -j MARK --set-xmark 0x42/0xffffffff',
  ];
  assert.equal(
    iptablesReplaceInput({ name: 'marks', rules: [] }, 'prerouting', 4, lines),
    `*mangle
:TANDEM-MARKS-PRE - [0:0]
-D PREROUTING -j TANDEM-MARKS-PRE
-D PREROUTING -j TANDEM-MARKS-PRE
-F TANDEM-MARKS-PRE
-X TANDEM-MARKS-PRE
COMMIT
`,
  );
  assert.equal(iptablesReplaceInput({ name: 'marks', rules: [] }, 'prerouting', 4, []), undefined);
});

test('of what iptables-save prints only our chain counts, without its counters', () => {
  const saved = `*mangle
:PREROUTING ACCEPT [7:420]
:TANDEM-MARKS-PRE - [12:34]
-A PREROUTING -j TANDEM-MARKS-PRE
-A PREROUTING -j TANDEM-MARKS-PREFIX
-A TANDEM-MARKS-PRE -d 192.0.2.1/32 -j MARK --set-xmark 0x42/0xffffffff
COMMIT`;
  assert.deepEqual(savedLinesOf(saved, 'TANDEM-MARKS-PRE'), [
    ':TANDEM-MARKS-PRE -',
    '-A PREROUTING -j TANDEM-MARKS-PRE',
    '-A TANDEM-MARKS-PRE -d 192.0.2.1/32 -j MARK --set-xmark 0x42/0xffffffff',
  ]);
});

test('a place without rules is left out', () => {
  assert.equal(
    iptablesReplaceInput({ name: 'gate', rules: [masquerade] }, 'postrouting', 4, []),
    `*nat
:TANDEM-GATE-POST - [0:0]
-A TANDEM-GATE-POST -s 192.168.0.0/24 -o eth0 -j MASQUERADE
-A POSTROUTING -j TANDEM-GATE-POST
COMMIT
`,
  );
  const only = { name: 'gate', rules: [masquerade] };
  assert.equal(iptablesReplaceInput(only, 'prerouting', 4, []), undefined);
});

function prefix(text: string): IpPrefix {
  const parsed = parseIpPrefix(text);
  assert.ok(parsed !== undefined);
  return parsed;
}
