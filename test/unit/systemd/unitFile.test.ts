import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../tools/sourceFiles.js';

/** What `systemd-analyze security` calls the sum of what a service could do, at the most. */
const exposureMax = 4.0;

const unitText = readFileSync(join(projectRoot, 'systemd/tandem.service'), 'utf8');
const hasAnalyzer = spawnSync('systemd-analyze', ['--version']).status === 0;
const skip = hasAnalyzer || process.env.CI === 'true' ? false : 'systemd-analyze is not installed';

test('systemd-analyze verify finds nothing to say about the unit', { skip }, () => {
  // The executable is not installed here, so every command names one that is.
  const result = analyze('verify', unitText.replaceAll('/usr/bin/tandem', '/bin/true'));
  assert.equal(result.output, '');
  assert.equal(result.status, 0);
});

test('the unit exposes less than 4.0 of what a service could do', { skip }, () => {
  const result = analyze('security', unitText);
  const exposure = /exposure level for \S+: ([\d.]+)/.exec(result.output)?.[1];
  assert.ok(exposure !== undefined, result.output);
  assert.ok(Number(exposure) < exposureMax, `exposure is ${exposure}`);
});

test('with the rights for commands of other users it still is a sound unit', { skip }, () => {
  const rights = readFileSync(join(projectRoot, 'systemd/commands.conf'), 'utf8');
  const withRights = `${unitText}\n${rights}`;
  const result = analyze('verify', withRights.replaceAll('/usr/bin/tandem', '/bin/true'));
  assert.equal(result.output, '');
  assert.match(withRights, /^CapabilityBoundingSet=.* CAP_SETUID CAP_SETGID CAP_KILL$/m);
});

test('the unit notifies, is watched, reloads, and gives up what a killed agent left', () => {
  for (const line of [
    'Type=notify',
    /^WatchdogSec=\d+$/m,
    'ExecReload=/usr/bin/tandem reload',
    /^ExecStopPost=\/usr\/bin\/tandem release -c \S+$/m,
    'CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW',
    'RestartPreventExitStatus=2',
  ]) {
    assert.match(unitText, typeof line === 'string' ? new RegExp(`^${line}$`, 'm') : line);
  }
});

test('the unit for rules without an election is a sound one and restores from its file', {
  skip,
}, () => {
  const name = 'tandem-ipvs.service';
  const text = readFileSync(join(projectRoot, 'systemd', name), 'utf8');
  const result = analyze('verify', text.replaceAll('/usr/bin/tandem', '/bin/true'), name);
  assert.equal(result.output, '');
  assert.equal(result.status, 0);
  assert.match(text, /^ExecStart=.*tandem ipvs -R < \/etc\/tandem\/ipvs\.rules'$/m);
  assert.match(text, /^Conflicts=tandem\.service$/m);
});

function analyze(
  verb: 'verify' | 'security',
  text: string,
  name = 'tandem.service',
): { readonly status: number | null; readonly output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-unit-'));
  try {
    const path = join(folder, name);
    writeFileSync(path, text);
    const options = verb === 'security' ? ['--offline=true', '--no-pager'] : ['--man=no'];
    const result = spawnSync('systemd-analyze', [verb, ...options, path], { encoding: 'utf8' });
    return { status: result.status, output: `${result.stdout}${result.stderr}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
