import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { planDrills } from '../../src/cli/drill.js';
import type { DrillFile, DrillReport } from '../../src/drill/report.js';
import { drillName, scenarios } from '../../src/drill/scenario.js';
import { topologies } from '../../src/drill/topologies.js';
import { topologyNames } from '../../src/drill/topology.js';
import { runProgram } from './support/program.js';

/** Every scenario and every topology at least once; `tandem drill all --topology all` runs all. */
const drills = [
  'director-crash@nat',
  'server-down@dr',
  'director-stop@tunnel',
  'server-error@fwmark',
  'director-crash@nat6',
];

/** All run in one boot of the embedded kernel, through the command line. */
test('every scenario and topology keeps its promises in the embedded kernel', async (context) => {
  const planned = planDrills(drills, 'nat');
  assert.equal(new Set(planned.map(({ scenario }) => scenario)).size, scenarios.length);
  assert.equal(new Set(planned.map(({ topology }) => topology)).size, topologyNames.length);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-test-'));
  try {
    const path = join(folder, 'report.json');
    const { status, stdout, stderr } = await runProgram([
      'drill',
      ...drills,
      '--kernel',
      'embedded',
      '--json',
      path,
    ]);
    assert.match(stdout, /^kernel: embedded \(asked for/);
    assert.equal(stderr, '', `${stdout}\n${stderr}`);
    const file = JSON.parse(readFileSync(path, 'utf8')) as DrillFile;
    for (const drill of planned) {
      const { scenario, topology } = drill;
      await context.test(`${drillName(drill)}: ${scenario.title}`, () => {
        const report = file.reports.find(
          (candidate) => candidate.scenario === scenario.name && candidate.topology === topology,
        );
        assert.ok(report, `no report of ${drillName(drill)}:\n${stdout}`);
        const names = report.promises.map(({ name }) => name);
        assert.deepEqual(names, scenario.promises);
        const broken = report.promises.filter((promise) => !promise.holds);
        assert.deepEqual(broken, [], stdout);
        checkMeasured(report);
        assert.match(stdout, new RegExp(`^${drillName(drill)} .*every promise held$`, 'm'));
      });
    }
    assert.equal(file.held, true);
    assert.equal(file.kernel.kind, 'embedded');
    assert.equal(status, 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** What must be in a report beyond the promises, or they would hold for want of anything. */
function checkMeasured({ scenario, measured, conditions }: DrillReport): void {
  assert.ok(measured.requests.answered > 100, `${measured.requests.answered} answers`);
  assert.equal(measured.persistentClients.length, 6);
  assert.equal(measured.downloads.length, 6);
  assert.ok(measured.persistentClients.some(({ expectedToStay }) => expectedToStay));
  assert.ok(measured.downloads.some(({ expectedToSurvive }) => expectedToSurvive));
  const senders = new Set(measured.adverts.map(({ source }) => source));
  const announced = new Set(measured.announcements.map(({ macAddress }) => macAddress));
  const directors = scenario.startsWith('director-') ? 2 : 1;
  assert.deepEqual([senders.size, announced.size], [directors, directors]);
  if (scenario === 'director-crash') {
    // The backup must not take over before its time; the capture tells it to the millisecond.
    const tookMs = measured.takeoverAfterLastAdvertMs ?? 0;
    assert.ok(tookMs >= conditions.activeDownMs - 1, `${tookMs} ms`);
  }
  if (scenario === 'director-stop') {
    assert.ok(measured.clientGapMs < conditions.activeDownMs);
    // The only backup waits for nobody, so that there is no time that it must not be before.
    assert.ok((measured.takeoverAfterLastAdvertMs ?? Infinity) < conditions.activeDownMs);
  }
  if (scenario.startsWith('server-')) {
    assert.ok(measured.requests.failed > 0, 'the fault went unnoticed');
    assert.ok(measured.weightZeroMs !== null && measured.weightBackMs !== null);
  }
}

test('an unknown scenario is refused before any lab is built', async () => {
  const { status, stderr } = await runProgram(['drill', 'meteor']);
  assert.equal(status, 2);
  assert.match(stderr, /there is no scenario meteor/);
});

test('the scenarios and topologies are listed with what they are', async () => {
  const { status, stdout } = await runProgram(['drill', '--list']);
  assert.equal(status, 0);
  for (const { name, title } of [...scenarios, ...Object.values(topologies)])
    assert.ok(stdout.includes(name) && stdout.includes(title));
});
