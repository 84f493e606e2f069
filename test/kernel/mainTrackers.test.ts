/** Trackers of the main thread with real scripts, files and processes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MainTrackers, type TrackerChange } from '../../src/track/mainTrackers.js';
import type { MainSubject, ScriptSubject } from '../../src/track/model.js';
import { waitFor } from '../tools/waiting.js';
import { rootTest } from './support/rootTest.js';

/** One tracker, what it says, and a folder for what it looks at. */
class Scene {
  readonly folder: string;
  readonly changes: TrackerChange[] = [];
  readonly trackers = new MainTrackers({ onChange: (change) => this.changes.push(change) });

  constructor(context: TestContext) {
    this.folder = mkdtempSync(join(tmpdir(), 'tandem-track-'));
    // Scripts run as nobody and write here.
    chmodSync(this.folder, 0o777);
    context.after(() => {
      this.trackers.stop();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  track(subject: MainSubject, weight = 1): void {
    const effects = [{ router: 'outside', weight }];
    this.trackers.configure([{ name: 'it', subject, effects }]);
  }

  get report() {
    const [report] = this.trackers.reports;
    assert.ok(report !== undefined);
    return report;
  }

  /** What is taken off the priority now. */
  get weight(): number {
    return this.trackers.burdens.demotions[0]?.weight ?? 0;
  }

  async becomes(state: 'passing' | 'failing'): Promise<void> {
    await waitFor(`the tracker is ${state}`, () => this.report.state === state);
  }
}

const script = (command: string, changes: Partial<ScriptSubject> = {}): ScriptSubject => ({
  type: 'script',
  command: ['/bin/sh', '-c', command],
  intervalMs: 100,
  timeoutMs: 10_000,
  rise: 2,
  fall: 2,
  initially: 'passing',
  ...changes,
});

test('a script fails after failures in a row, and passes again after passes', async (context) => {
  const scene = new Scene(context);
  const flag = join(scene.folder, 'flag');
  scene.track(script(`test ! -e ${flag} || { echo broken; exit 4; }`), 50);
  await scene.becomes('passing');
  assert.equal(scene.weight, 0);
  writeFileSync(flag, '');
  await scene.becomes('failing');
  assert.equal(scene.weight, 50);
  assert.equal(scene.report.last?.detail, 'status 4: broken');
  rmSync(flag);
  await scene.becomes('passing');
  assert.deepEqual(
    scene.changes.map(({ after }) => after.state),
    ['failing', 'passing'],
    'a first pass changes nothing for the routers',
  );
});

test('a script that hangs fails by its timeout', async (context) => {
  const scene = new Scene(context);
  scene.track(script('sleep 600', { timeoutMs: 300 }));
  await scene.becomes('failing');
  assert.match(scene.report.last?.detail ?? '', /^ended after [\d.]+ ms, its timeout$/);
});

test('a script that takes longer than its interval never runs twice at once', async (context) => {
  const scene = new Scene(context);
  const [lock, log] = [join(scene.folder, 'lock'), join(scene.folder, 'log')];
  scene.track(script(`mkdir ${lock} || exit 9; echo ran >> ${log}; sleep 0.3; rmdir ${lock}`));
  await waitFor('three runs', () => existsSync(log) && readFileSync(log, 'utf8').length >= 12);
  assert.equal(scene.report.state, 'passing');
  assert.equal(scene.report.streak, 0);
});

rootTest('a script runs as nobody unless it names somebody', async (context) => {
  const scene = new Scene(context);
  scene.track(script('id -un; exit 1', { fall: 1 }));
  await scene.becomes('failing');
  assert.equal(scene.report.last?.detail, 'status 1: nobody');
  scene.track(script('id -un; id -gn; exit 1', { fall: 1, user: 'root:nogroup' }));
  await scene.becomes('failing');
  assert.equal(scene.report.last?.detail, 'status 1: root nogroup');
});

test('another weight keeps the verdict, another subject starts anew', async (context) => {
  const scene = new Scene(context);
  const subject = script('exit 1', { fall: 1 });
  scene.track(subject, 10);
  await scene.becomes('failing');
  scene.track(subject, 20);
  assert.equal(scene.report.state, 'failing');
  assert.equal(scene.weight, 20);
  scene.track(script('exit 2', { fall: 1 }), 20);
  assert.equal(scene.report.state, 'unknown');
});

test('a script that runs is ended when its tracker goes', async (context) => {
  const scene = new Scene(context);
  const file = join(scene.folder, 'pid');
  scene.track(script(`echo $$ > ${file}.new; mv ${file}.new ${file}; exec sleep 600`));
  await waitFor('it runs', () => existsSync(file));
  const processId = readFileSync(file, 'utf8').trim();
  scene.trackers.configure([]);
  await waitFor('it is gone', () => {
    try {
      return /\) Z /.test(readFileSync(`/proc/${processId}/stat`, 'utf8'));
    } catch {
      return true;
    }
  });
});

test('the value of a file is followed, however it is written', async (context) => {
  const scene = new Scene(context);
  const path = join(scene.folder, 'load');
  scene.track({ type: 'file', path, valueWhenMissing: 7 });
  await waitFor('a missing file has its value', () => scene.weight === 7);
  writeFileSync(path, '20\n');
  await waitFor('a file that is made', () => scene.weight === 20);
  writeFileSync(path, '21\n');
  await waitFor('a file that is written', () => scene.weight === 21);
  writeFileSync(`${path}.new`, '22\n');
  renameSync(`${path}.new`, path);
  await waitFor('a file that is replaced', () => scene.weight === 22);
  writeFileSync(path, 'nonsense\n');
  await waitFor('nonsense is told', () => scene.report.last?.outcome === 'inconclusive');
  assert.equal(scene.weight, 22, 'and changes nothing');
  rmSync(path);
  await waitFor('a file that is removed', () => scene.weight === 7);
  writeFileSync(path, '0');
  await scene.becomes('passing');
});

test('a change of a file is known long before the next look', async (context) => {
  const scene = new Scene(context);
  const path = join(scene.folder, 'load');
  writeFileSync(path, '0');
  scene.track({ type: 'file', path, valueWhenMissing: 0 });
  await scene.becomes('passing');
  const delaysMs: number[] = [];
  for (let value = 1; value <= 10; value += 1) {
    const startMs = performance.now();
    writeFileSync(path, String(value));
    await waitFor(`value ${value}`, () => scene.weight === value);
    delaysMs.push(performance.now() - startMs);
  }
  // By looking alone, once a second, the middle one would take half a second.
  const middle = delaysMs.toSorted((left, right) => left - right)[5] ?? Number.NaN;
  assert.ok(middle < 300, `${middle} ms`);
});

test('a folder that comes later is found, and one that is made anew as well', async (context) => {
  const scene = new Scene(context);
  const inner = join(scene.folder, 'inner');
  scene.track({ type: 'file', path: join(inner, 'load'), valueWhenMissing: 3 });
  await waitFor('nothing there', () => scene.weight === 3);
  for (const value of [30, 31]) {
    mkdirSync(inner);
    writeFileSync(join(inner, 'load'), String(value));
    await waitFor(`value ${value}`, () => scene.weight === value);
    rmSync(inner, { recursive: true });
    await waitFor('it is gone', () => scene.weight === 3);
  }
});

test('a named pipe in place of the file holds up nothing', async (context) => {
  const scene = new Scene(context);
  const path = join(scene.folder, 'load');
  await once(spawn('mkfifo', [path]), 'exit');
  scene.track({ type: 'file', path, valueWhenMissing: 0 });
  await waitFor('it is told', () => /is not a file/.test(scene.report.last?.detail ?? ''));
});

test('processes are counted by name and command line', async (context) => {
  const scene = new Scene(context);
  const name = `tdm${process.pid}`;
  const program = join(scene.folder, name);
  copyFileSync('/bin/sleep', program);
  const start = () => {
    const child = spawn(program, ['600'], { stdio: 'ignore' });
    context.after(() => child.kill('SIGKILL'));
    return child;
  };
  scene.track({ type: 'process', process: name, min: 1, max: 1, intervalMs: 100, delayMs: 0 }, 9);
  await scene.becomes('failing');
  assert.equal(scene.report.last?.detail, '0 run, 1 to 1 wanted');
  const first = start();
  await scene.becomes('passing');
  const second = start();
  await scene.becomes('failing');
  assert.equal(scene.report.last?.detail, '2 run, 1 to 1 wanted');
  second.kill('SIGKILL');
  await scene.becomes('passing');
  const contains = { commandContains: `${name} 600`, min: 1, intervalMs: 100, delayMs: 0 };
  scene.track({ type: 'process', ...contains });
  await scene.becomes('passing');
  first.kill('SIGKILL');
  await scene.becomes('failing');
});

test('a service and a BFD session are what others say of them', (context) => {
  const scene = new Scene(context);
  scene.track({ type: 'service', service: 'web', minServersUp: 2 }, 30);
  scene.trackers.takeService('other', ['down', 'down']);
  scene.trackers.takeService('web', ['up', 'unknown']);
  assert.equal(scene.report.state, 'unknown');
  scene.trackers.takeService('web', ['up', 'down']);
  assert.equal(scene.weight, 30);
  scene.trackers.takeService('web', ['up', 'up']);
  assert.equal(scene.weight, 0);
  scene.track({ type: 'bfd', session: 'gateway' }, 40);
  scene.trackers.takeBfdSession('gateway', undefined, 'just made');
  assert.equal(scene.weight, 0);
  scene.trackers.takeBfdSession('gateway', false, 'control detection time expired');
  assert.equal(scene.weight, 40);
  scene.trackers.takeBfdSession('gateway', true, 'up');
  assert.equal(scene.weight, 0);
});
