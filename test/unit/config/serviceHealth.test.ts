/** What is told of keys that follow from checks, where they cannot mean what they say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { changed, problemsOf, soundConfig, testBadInputs, warningsOf } from './soundConfig.js';

testBadInputs([
  {
    title: 'a longest hold that is shorter than the first',
    changes: [
      [
        'scheduler: wrr',
        'scheduler: wrr\n    health: { flapDamping: { hold: 60s, holdMax: 30s } }',
      ],
    ],
    problems: [
      [
        '21:50 services[0].health.flapDamping.holdMax',
        '30s is shorter than hold 1m',
        'make it at least as long',
      ],
    ],
  },
  {
    title: 'a BFD check of servers that have no session',
    changes: [
      ['type: http', 'type: bfd'],
      ['path: /healthz', 'fall: 1'],
    ],
    problems: [
      [
        '23:7 services[0].check',
        'needs a BFD session of lb1 with servers[0], 192.168.0.10',
        'add it to `bfd`, or name a `session` that tells of all',
      ],
    ],
  },
  {
    title: 'a BFD check by a session that is not there',
    changes: [
      ['type: http', 'type: bfd'],
      ['path: /healthz', 'session: router'],
    ],
    problems: [
      [
        '24:16 services[0].check.session',
        'there is no BFD session router',
        'it is configured under `bfd`',
      ],
    ],
  },
]);

const withHook = (hook: string) => `${soundConfig}hooks:\n  - { name: tell, ${hook} }\n`;
const command = 'command: [/bin/true]';

for (const [hook, problems] of [
  [
    `${command}, services: [web-http]`,
    ['hooks[0].services[0]: web-http has no quorum, so this hook is never called for it'],
  ],
  [`${command}, services: [web-http], on: [server-up, server-down]`, []],
  [`${command}, services: [web], on: [server-up]`, ['hooks[0].services[0]: there is no service']],
  [`${command}, services: [web-http], on: [active]`, ['hooks[0].on: has nothing that a service']],
  [`${command}, on: [server-down]`, ['hooks[0].on[0]: server-down never comes without `serv']],
  [`${command}, on: [quorum_up]`, ['hooks[0].on[0]: must be quorum-met, got quorum_up']],
] as const) {
  test(`the hook { ${hook} } has ${problems.length} problems`, () => {
    const said = problemsOf(withHook(hook)).map((line) => line.replace(/^[^ ]+ /, ''));
    assert.equal(said.length, problems.length, said.join('\n'));
    for (const [index, problem] of problems.entries()) {
      assert.ok(said[index]?.startsWith(problem), said[index]);
    }
  });
}

test('what follows from checks does nothing in a service that has none', () => {
  const text = changed([
    '    check:\n      type: http\n      path: /healthz\n      interval: 2s\n      timeout: 1s\n',
    '    health: { slowStart: { duration: 30s }, startDown: true }\n',
  ]);
  const said = warningsOf(
    text.replace('weight: 2', 'weight: 200').replace('weight: 1', 'weight: 100'),
  );
  assert.equal(said.filter((line) => line.includes('the service has no check')).length, 2);
});

test('servers with sessions, and a session that tells of all, satisfy a BFD check', () => {
  const bfd = 'bfd:\n  - { name: a, peer: 192.168.0.10 }\n  - { name: b, peer: 192.168.0.20 }\n';
  for (const key of ['fall: 1', 'session: b']) {
    const text = changed(['type: http', 'type: bfd'], ['path: /healthz', key]) + bfd;
    assert.deepEqual(problemsOf(text), []);
    const check = checkConfigText(text, {}).configs[0]?.services[0]?.check;
    assert.deepEqual([check?.timing.rise, check?.timing.fall], [1, 1]);
  }
});

test('an agent is believed at once, as by HAProxy', () => {
  const text = changed(['type: http', 'type: agent'], ['path: /healthz', 'port: 8080']);
  const check = checkConfigText(text, {}).configs[0]?.services[0]?.check;
  assert.deepEqual([check?.timing.rise, check?.timing.fall], [1, 1]);
});
