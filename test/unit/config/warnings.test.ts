import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Change, changed, soundConfig, warningsOf } from './soundConfig.js';

const samePriorities = 'have the same priority';
const cases: readonly {
  readonly title: string;
  readonly changes: readonly Change[];
  readonly warning: string;
}[] = [
  {
    title: 'equal priorities',
    changes: [['lb2: 100', 'lb2: 150']],
    warning:
      `8:32 virtualRouters[0].priority.lb2: lb1 and lb2 ${samePriorities} 150: ` +
      'the higher address wins (give each node another priority)',
  },
  {
    title: 'one priority for every node',
    changes: [['{ lb1: 150, lb2: 100 }', '100']],
    warning:
      `8:15 virtualRouters[0].priority: lb1 and lb2 ${samePriorities} 100: ` +
      'the higher address wins (give each node another priority)',
  },
  {
    title: 'an owner that does not own',
    changes: [['lb1: 150', 'lb1: 255']],
    warning:
      '8:22 virtualRouters[0].priority.lb1: 255 says that lb1 owns the addresses, but its own ' +
      'address is 172.25.254.101 (use at most 254)',
  },
  {
    title: 'members of a sync group that prefer different nodes',
    changes: [['lb1: 150, lb2: 100', 'lb1: 100, lb2: 150']],
    warning:
      '16:28 syncGroups[0].members: outside prefers lb2 and inside prefers lb1 ' +
      '(members of a sync group move together: give them the same order of priorities)',
  },
  {
    title: 'a preemption delay without preemption',
    changes: [['vrid: 51', 'vrid: 51\n    preempt: { enabled: false, delay: 1s }']],
    warning:
      '8:39 virtualRouters[0].preempt.delay: has no effect, because preempt.enabled is false ' +
      '(remove it)',
  },
  {
    title: 'a listener on an address that no virtual router holds',
    changes: [['tcp://172.25.254.100:80', '[tcp://172.25.254.99:80, udp://172.25.254.99:80]']],
    warning:
      '19:14 services[0].listen[0]: no virtual router holds 172.25.254.99 ' +
      '(add it to the `addresses` of one, or move it yourself)',
  },
  {
    title: 'an IPv6 listener that no virtual router holds',
    changes: [
      ['tcp://172.25.254.100:80', 'tcp://[2001:db8::1]:80'],
      ['192.168.0.10:80', '"[2001:db8::10]:80"'],
      ['192.168.0.20:80', '"[2001:db8::20]:80"'],
    ],
    warning:
      '19:13 services[0].listen: no virtual router holds 2001:db8::1 ' +
      '(add it to the `addresses` of one, or move it yourself)',
  },
  {
    title: 'a cap that lets nobody out',
    changes: [['scheduler: wrr', 'scheduler: wrr\n    health: { maxOut: 40% }']],
    warning:
      '21:23 services[0].health.maxOut: 40% of 2 servers is less than one: no server is ever ' +
      'taken out (at least 50%; or 0%, if that is what is wanted)',
  },
  {
    title: 'an interval while changing that is longer than the interval',
    changes: [['timeout: 1s', 'timeout: 1s\n      intervalWhenChanging: 3s']],
    warning:
      '27:29 services[0].check.intervalWhenChanging: 3s is longer than the interval 2s: failures ' +
      'are confirmed later than without it (make it shorter)',
  },
  {
    title: 'a timeout longer than the interval of servers that are down',
    changes: [['timeout: 1s', 'timeout: 1s\n      intervalWhenDown: 500ms']],
    warning:
      '27:25 services[0].check.intervalWhenDown: 500ms is shorter than the timeout 1s: checks ' +
      'wait for each other (make the timeout shorter)',
  },
  {
    title: 'failures that are forgotten before their hold is over',
    changes: [
      ['scheduler: wrr', 'scheduler: wrr\n    health: { flapDamping: { window: 20s, hold: 30s } }'],
    ],
    warning:
      '21:38 services[0].health.flapDamping.window: failures are forgotten after 20s, which is ' +
      'no longer than the hold of 30s: it never doubles (make the window several times the hold)',
  },
  {
    title: 'hints for datagrams that are routed directly',
    changes: [
      ['tcp://172.25.254.100:80', 'udp://172.25.254.100:80'],
      ['forward: nat', 'forward: dr\n    health: { passiveHints: {} }'],
    ],
    warning:
      '22:29 services[0].health.passiveHints: sees nothing: answers over UDP do not come by this ' +
      'director (remove it)',
  },
  {
    title: 'a check that may take longer than its interval',
    changes: [['timeout: 1s', 'timeout: 3s']],
    warning:
      '26:16 services[0].check.timeout: 3s is longer than the interval 2s: checks wait for each ' +
      'other (make it shorter than the interval)',
  },
  {
    title: 'servers that all have weight 0',
    changes: [
      ['weight: 2', 'weight: 0'],
      ['weight: 1', 'weight: 0'],
    ],
    warning:
      '28:7 services[0].servers: every server has weight 0: nobody takes new connections ' +
      '(give one of them a weight)',
  },
  {
    title: 'a node that is alone',
    changes: [
      ['  lb2: { address: 172.25.254.102, interface: eth0 }\n', ''],
      ['lb1: 150, lb2: 100', 'lb1: 150'],
      ['lb1: 150, lb2: 100', 'lb1: 150'],
    ],
    warning: '3:3 nodes: there is one node only: nobody takes over when it dies (add another)',
  },
];

test('a sound configuration gives no warning', () => {
  assert.deepEqual(warningsOf(soundConfig), []);
});

for (const { title, changes, warning } of cases) {
  test(`the operator is warned of ${title}, and the file can be used`, () => {
    assert.deepEqual(warningsOf(changed(...changes)), [`tandem.yaml:${warning}`]);
  });
}

test('an owner whose own address is a virtual one is not warned', () => {
  const text = changed(
    ['lb1: 150', 'lb1: 255'],
    ['172.25.254.100/24', '172.25.254.101/24'],
    ['tcp://172.25.254.100:80', 'tcp://172.25.254.101:80'],
  );
  assert.deepEqual(warningsOf(text), []);
});
