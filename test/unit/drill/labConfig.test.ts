import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { labConfig, labTimings } from '../../../src/drill/labConfig.js';
import { lastWords } from '../../../src/drill/lastWords.js';
import { natTopology } from '../../../src/drill/natTopologies.js';
import { topologies } from '../../../src/drill/topologies.js';

test("the configuration of a lab's directors is valid and says what the promises count on", () => {
  const check = checkConfigText(labConfig(natTopology, '/tmp/lb1.sock'), {});
  assert.deepEqual(check.problems, []);
  const config = check.configs.find(({ node }) => node.name === 'lb2');
  assert.ok(config);
  assert.deepEqual(
    config.virtualRouters.map(({ vrid, priority, advertIntervalCs }) => [
      vrid,
      priority,
      advertIntervalCs * 10,
    ]),
    [
      [51, natTopology.priorities.lb2, labTimings.advertIntervalMs],
      [52, natTopology.priorities.lb2, labTimings.advertIntervalMs],
    ],
  );
  assert.deepEqual(
    config.services.map(({ check: service }) => service?.timing),
    [
      { intervalMs: 500, timeoutMs: 400, rise: 2, fall: 2 },
      { intervalMs: 500, timeoutMs: 400, rise: 2, fall: 2 },
    ],
  );
  assert.equal(config.connectionSync.mode, 'kernel');
});

for (const topology of Object.values(topologies)) {
  test(`the configuration of the lab ${topology.name} is valid for both directors`, () => {
    const { configs, problems } = checkConfigText(labConfig(topology, '/tmp/lb1.sock'), {});
    assert.deepEqual(problems, []);
    for (const config of configs) {
      assert.deepEqual(
        config.services.map(({ servers }) => servers.map(({ weight }) => weight)),
        topology.services.map(() => [3, 2, 1]),
      );
    }
  });
}

test('the last words of a program are its error without its name, and its hint', () => {
  const log = '{"level":30}\ntandem: cannot start:\nno IPVS\n  hint: Load it.\n';
  assert.deepEqual(lastWords(log), { message: 'cannot start:\nno IPVS', hint: 'Load it.' });
});

test('the last words of a program that printed no error are the end of its log', () => {
  assert.deepEqual(lastWords('a\nb\n'), { message: 'a\nb' });
});
