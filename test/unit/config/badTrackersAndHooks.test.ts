/** What is told of trackers and hooks that are wrong, and what they are when they are right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { changed, problemsOf, soundConfig, warningsOf } from './soundConfig.js';

/** The sound configuration, in which the outside router tracks `it`, and more at the end. */
const withTracker = (tracker: string, track = '[it]') =>
  changed([
    'priority: { lb1: 150, lb2: 100 }',
    `track: ${track}\n    priority: { lb1: 150, lb2: 100 }`,
  ]).concat(`bfd: [{ name: gateway }]\ntrackers:\n  - { name: it, ${tracker} }\n`);
const withHook = (hook: string) => `${soundConfig}hooks:\n  - { name: tell, ${hook} }\n`;

/** Without the place: that every finding has one is tested elsewhere. */
const said = (lines: readonly string[]) => lines.map((line) => line.replace(/^[^ ]+ /, ''));

for (const [tracker, problems] of [
  ['type: interface, interface: eth2', []],
  ['type: interface, interface: { lb1: eth2, lb2: eth3 }, weight: 60', []],
  ['type: interface', ['trackers[0].interface: is required and missing']],
  ['type: interface, interface: { lb1: eth2 }', ['trackers[0].interface: lacks a value for lb2']],
  ['type: interface, interface: eth2, weight: 254', ['trackers[0].weight: must be at most 253']],
  ['type: nose', ['trackers[0].type: must be one of interface, address, route']],
  ['type: address, address: "2001:db8::1", interface: eth0', []],
  ['type: address, address: 192.0.2.1/24', ['trackers[0].address: must be an IP address']],
  ['type: route, destination: default, gateway: 192.0.2.1', []],
  ['type: route, destination: "::/0", gateway: "fe80::1", interface: eth0', []],
  ['type: route, destination: 10.1.0.0/8', ['trackers[0].destination: must be a network']],
  ['type: route, destination: "2001:db8::1/32"', ['trackers[0].destination: must be a network']],
  [
    'type: route, destination: default, gateway: "fe80::1"',
    ['trackers[0].gateway: is IPv6, and the destination is the default route of IPv4'],
  ],
  [
    'type: route, destination: "2001:db8::/32", gateway: 192.0.2.1',
    ['trackers[0].gateway: is IPv4, and the destination is IPv6'],
  ],
  ['type: script, command: [/bin/true], user: "monitor:adm", interval: 200ms', []],
  ['type: script, command: [true]', ['trackers[0].command[0]: must be text']],
  ['type: script, command: ["check it"]', ['trackers[0].command[0]: must be an absolute path']],
  ['type: script, command: /bin/true', ['trackers[0].command: must be a list']],
  ['type: script, command: [/bin/true], user: "a b"', ['trackers[0].user: must be a user']],
  ['type: file, path: /run/load, weight: -1, valueWhenMissing: 50', []],
  ['type: file, path: load', ['trackers[0].path: must be an absolute path']],
  ['type: process, process: haproxy, min: 0, max: 0', []],
  ['type: process', ['trackers[0]: needs `process` or `commandContains`']],
  ['type: process, process: /bin/a', ['trackers[0].process: must be the name of a program']],
  ['type: process, process: a, min: 3, max: 2', ['trackers[0].max: is 2, less than min']],
  ['type: service, service: web-http, weight: 30', []],
  ['type: service, service: web-htp, weight: 30', ['trackers[0].service: there is no service']],
  [
    'type: service, service: web-http, weight: 30, minServersUp: 3',
    ['trackers[0].minServersUp: is 3, and service web-http has 2 servers'],
  ],
  ['type: bfd, session: gateway', []],
  ['type: bfd, session: gate', ['trackers[0].session: there is no BFD session gate']],
] as const) {
  test(`a tracker { ${tracker} } has ${problems.length === 0 ? 'no' : 'its'} problem`, () => {
    const found = said(problemsOf(withTracker(tracker)));
    assert.equal(found.length, problems.length, found.join('\n'));
    for (const [index, problem] of problems.entries()) {
      assert.ok(found[index]?.startsWith(problem), found[index]);
    }
  });
}

const uplink = 'type: interface, interface: eth2';

for (const [track, problem] of [
  ['[]', undefined],
  ['[{ tracker: it, weight: 20 }]', undefined],
  ['[ti]', 'virtualRouters[0].track[0]: there is no tracker ti'],
  ['[it, it]', 'virtualRouters[0].track[1]: it is in this list already'],
  ['[{ weight: 20 }]', 'virtualRouters[0].track[0].tracker: is required and missing'],
] as const) {
  test(`track: ${track} has ${problem === undefined ? 'no' : 'its'} problem`, () => {
    const found = said(problemsOf(withTracker(uplink, track)));
    assert.equal(found.length, problem === undefined ? 0 : 1, found.join('\n'));
    assert.ok(problem === undefined || found[0]?.startsWith(problem), found[0]);
  });
}

test('a tracker that nobody tracks is remarked on, and is not run', () => {
  const text = withTracker(uplink, '[]');
  assert.match(warningsOf(text).join(), /trackers\[0\]: nobody tracks it: it does not run/);
  assert.deepEqual(checkConfigText(text).configs[0]?.trackers, []);
});

test('a service that would stop both directors at once is remarked on', () => {
  const text = withTracker('type: service, service: web-http');
  assert.match(warningsOf(text).join(), /trackers\[0\]: has no weight: .* both directors/);
});

test('a weight that cannot move an owner is remarked on', () => {
  const text = withTracker(`${uplink}, weight: 20`).replace(
    'lb1: 150, lb2: 100',
    'lb1: 255, lb2: 1',
  );
  assert.match(warningsOf(text).join(), /track\[0\]: has no effect on lb1, whose priority 255/);
});

test('a weight in a sync group applies to every member, a fault only where it is tracked', () => {
  const weighted = checkConfigText(withTracker(`${uplink}, weight: 20`)).configs[0]?.trackers[0];
  assert.deepEqual(weighted?.effects, [
    { router: 'outside', weight: 20 },
    { router: 'inside', weight: 20 },
  ]);
  const fault = checkConfigText(withTracker(uplink)).configs[0]?.trackers[0];
  assert.deepEqual(fault?.effects, [{ router: 'outside', weight: 0 }]);
});

test('a tracker of a group is one of all its members, and a router may weigh it otherwise', () => {
  const text = withTracker(uplink, '[{ tracker: it, weight: 7 }]').replace(
    'members: [outside, inside] }',
    'members: [outside, inside], track: [{ tracker: it, weight: 9 }] }',
  );
  assert.deepEqual(checkConfigText(text).configs[0]?.trackers[0]?.effects, [
    { router: 'outside', weight: 7 },
    { router: 'inside', weight: 9 },
  ]);
});

test('an interface that differs between the nodes is that of each node', () => {
  const text = withTracker('type: interface, interface: { lb1: eth2, lb2: eth3 }');
  const subjects = checkConfigText(text).configs.map(({ trackers }) => trackers[0]?.subject);
  assert.deepEqual(subjects, [
    { type: 'interface', interface: 'eth2' },
    { type: 'interface', interface: 'eth3' },
  ]);
});

test('each node knows the priorities of the others', () => {
  const priorities = checkConfigText(soundConfig).configs.map(
    ({ virtualRouters }) => virtualRouters[0]?.peerPriorities,
  );
  assert.deepEqual(priorities, [[100], [150]]);
});

test('of two nodes each is the only Backup of the other, of three none is', () => {
  const onlyBackups = (text: string) =>
    checkConfigText(text).configs.map(({ virtualRouters }) => virtualRouters[0]?.onlyBackup);
  assert.deepEqual(onlyBackups(soundConfig), [true, true]);
  const third = '  lb3: { address: 172.25.254.103, interface: eth0 }\nvirtualRouters:';
  const priorities = 'priority: { lb1: 150, lb2: 100, lb3: 50 }';
  const three = changed(
    ['virtualRouters:', third],
    ['priority: { lb1: 150, lb2: 100 }', priorities],
    ['priority: { lb1: 150, lb2: 100 }', priorities],
  );
  assert.deepEqual(onlyBackups(three), [undefined, undefined, undefined]);
});

for (const [hook, problem] of [
  ['command: [/bin/tell, "with spaces"]', undefined],
  ['command: [/bin/tell], on: [fault, stop], routers: [outside], groups: [edge]', undefined],
  ['command: [/bin/tell], on: [master]', 'hooks[0].on[0]: must be one of active, backup'],
  ['command: [/bin/tell], on: []', 'hooks[0].on: must have at least one element'],
  ['command: [tell]', 'hooks[0].command[0]: must be an absolute path, got tell'],
  ['command: []', 'hooks[0].command: must have at least one element'],
  ['command: [/bin/tell], routers: [outsid]', 'hooks[0].routers[0]: there is no virtual router'],
  ['command: [/bin/tell], groups: [edges]', 'hooks[0].groups[0]: there is no sync group edges'],
  ['command: [/bin/tell], style: shell', 'hooks[0].style: must be one of environment'],
  ['command: [/bin/tell], timeout: 10ms', 'hooks[0].timeout: must be at least 100ms'],
] as const) {
  test(`a hook { ${hook} } has ${problem === undefined ? 'no' : 'its'} problem`, () => {
    const found = said(problemsOf(withHook(hook)));
    assert.equal(found.length, problem === undefined ? 0 : 1, found.join('\n'));
    assert.ok(problem === undefined || found[0]?.startsWith(problem), found[0]);
  });
}

test('a hook that names nobody is called for every router and no group', () => {
  const hook = checkConfigText(withHook('command: [/bin/tell]')).configs[0]?.hooks[0];
  assert.deepEqual(hook, {
    name: 'tell',
    on: ['active', 'backup', 'initialize', 'quorum-met', 'quorum-lost'],
    command: ['/bin/tell'],
    timeoutMs: 10_000,
    style: 'environment',
    routers: ['outside', 'inside'],
    groups: [],
  });
});

test('two trackers, or two hooks, of one name are told', () => {
  const tracker = `${withTracker(uplink)}  - { name: it, ${uplink} }\n`;
  assert.match(
    problemsOf(tracker).join(),
    /trackers\[1\]\.name: trackers\[0\] is called it already/,
  );
  const hook = `${withHook('command: [/bin/tell]')}  - { name: tell, command: [/bin/tell] }\n`;
  assert.match(problemsOf(hook).join(), /hooks\[1\]\.name: hooks\[0\] is called tell already/);
});
