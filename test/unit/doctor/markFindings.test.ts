import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnoseDirector } from '../../../src/doctor/diagnose.js';
import { parseIptables } from '../../../src/doctor/firewall/iptablesText.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import {
  configurationRead,
  filterRules,
  healthyDirector,
  markedTable,
  runningAgent,
} from './support.js';

const virtual = ipAddress('172.25.254.100');
const services = [
  { name: 'web', listeners: ['fwmark:66'], scheduler: 'rr', schedulerAvailable: true },
];

test('a mark that a rule sets, or that may come from a place that is not seen, is no fault', () => {
  for (const rule of [
    '-A INPUT -j MARK --set-xmark 0x42/0xffffffff',
    '-A INPUT -j MARK --set-mark 66',
    '-A INPUT -j CONNMARK --restore-mark',
  ]) {
    const facts = healthyDirector({ table: markedTable(), chains: filterRules(rule) });
    assert.deepEqual(diagnoseDirector(facts), [], rule);
  }
});

test('a mark that is not set any more is a risk, or a fault if the agent should set it', () => {
  const table = markedTable(50n);
  const severityWith = (marks: readonly { readonly fwmark: number }[]) => {
    const configuration = {
      ...configurationRead,
      services,
      marks: marks.map(({ fwmark }) => ({ fwmark, family: 4 as const, addresses: [virtual] })),
    };
    const facts = healthyDirector({ table, configuration, agent: runningAgent });
    const findings = diagnoseDirector(facts);
    return findings.find(({ id }) => id === 'mark-missing')?.severity;
  };
  assert.equal(severityWith([]), 'risk');
  assert.equal(severityWith([{ fwmark: 66 }]), 'fault');
  const busyTable = markedTable(50n, 3n);
  assert.deepEqual(diagnoseDirector(healthyDirector({ table: busyTable })), []);
});

test('a rule that drops one port of a mark is found by the rules that set the mark', () => {
  const chains = [
    ...parseIptables(
      'iptables',
      4,
      [
        '*mangle',
        ':PREROUTING ACCEPT [0:0]',
        '-A PREROUTING -d 172.25.254.100/32 -p tcp -m multiport --dports 80,443 ' +
          '-j MARK --set-mark 66',
        'COMMIT',
      ].join('\n'),
    ),
    ...filterRules('-A INPUT -p tcp -m tcp --dport 443 -j DROP'),
  ];
  const [first, ...others] = diagnoseDirector(healthyDirector({ table: markedTable(), chains }));
  assert.equal(first?.id, 'firewall-drops-requests');
  assert.match(first.seen.join('\n'), /172\.25\.254\.100:443/);
  assert.doesNotMatch(first.seen.join('\n'), /172\.25\.254\.100:80\b/);
  assert.deepEqual(others, []);
});
