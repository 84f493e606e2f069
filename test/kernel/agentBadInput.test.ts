import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readKernelFacts } from '../../src/drill/kernelChoice.js';
import { type ErrorCode, errorTable } from '../../src/errors.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { agentConfig, agentFiles, type CommandResult, runTandem } from '../tools/tandemDirector.js';

const advertIntervalMs = 100;
const settings = { priority: 100, advertIntervalMs };

lanTest(
  'a virtual router on a missing interface is refused before anything is done',
  [],
  async (scene) => {
    const config = sound(scene).replace('    priority:', '    interface: eth7\n    priority:');
    const result = await runAgent(scene, config);
    assertFailure(
      scene,
      result,
      'INTERFACE_MISSING',
      /no such interface: eth7 \(virtual router vip/,
    );
    assert.match(result.stderr, /hint: This machine has: .*eth0/);
  },
);

lanTest(
  'an address on a missing interface is refused before anything is done',
  [],
  async (scene) => {
    const config = sound(scene).replace(
      'addresses: [192.0.2.100/24]',
      'addresses: [192.0.2.100/24, { address: 198.51.100.1/24, interface: eth8 }]',
    );
    const result = await runAgent(scene, config);
    assertFailure(scene, result, 'INTERFACE_MISSING', /no such interface: eth8 \(an address of/);
  },
);

lanTest(
  'a second agent on the same socket ends, and the first one does not notice',
  [],
  async (scene) => {
    const first = await scene.startTandem('lb1', settings);
    await scene.waitForHolder('lb1');
    const { configPath, socketPath } = first.files;
    const second = await runTandem(scene.lan, 'lb1', ['run', '-c', configPath, '--node', 'lb1']);
    assert.equal(second.exitCode, errorTable.API_SOCKET_IN_USE.exitCode);
    assertOneError(second, /Another agent already answers/);
    assert.ok(second.stderr.includes(socketPath));
    await scene.staysWith('lb1', advertIntervalMs);
    const status = await first.status();
    assert.equal(status.pid, first.pid);
    assert.equal(status.virtualRouters[0]?.transitions.length, 2, 'startup and election, no more');
  },
);

lanTest('an agent without privilege says which capability it lacks', [], async (scene) => {
  const folder = join(scene.lan.folder, 'unprivileged');
  chmodSync(scene.lan.folder, 0o755);
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const socketPath = join(folder, 'tandem.sock');
  const config = sound(scene).replace(agentFiles(scene.lan, 'lb1').socketPath, socketPath);
  const wrapper = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const result = await runAgent(scene, config, wrapper);
  assertFailure(scene, result, 'PERMISSION', /EPERM/);
  assert.match(result.stderr, /CAP_NET_(ADMIN|RAW)/);
  assert.equal(existsSync(socketPath), false, 'no socket is left');
});

lanTest(
  'services without IPVS in the kernel are refused before anything is done',
  [],
  async (scene) => {
    const { ipvs, release } = await readKernelFacts();
    if (ipvs) {
      scene.context.skip(
        `the kernel ${release} has IPVS; the refusal shows only where it is absent`,
      );
      return;
    }
    const services = [
      'services:',
      '  - name: web',
      '    listen: tcp://192.0.2.100:80',
      '    forward: nat',
      '    servers: [{ address: 192.0.2.201:80 }]',
      '',
    ].join('\n');
    const result = await runAgent(scene, sound(scene) + services);
    assertFailure(scene, result, 'IPVS_UNAVAILABLE', /IPVS/i);
    assert.match(result.stderr, /modprobe ip_vs|CONFIG_IP_VS/);
  },
);

/** A mistake in the file, with what is said about it at which place. */
interface Mistake {
  readonly what: string;
  readonly from: string;
  readonly to: string;
  /** The part of `to` that the position must point at. */
  readonly at: string;
  readonly message: RegExp;
}

const mistakes: readonly Mistake[] = [
  {
    what: 'an unknown key',
    from: '    priority:',
    to: '    priorty:',
    at: 'priorty',
    message: /virtualRouters\[0\]\.priorty: .*priority/,
  },
  {
    what: 'a value of the wrong type',
    from: 'vrid: 51',
    to: 'vrid: fifty-one',
    at: 'fifty-one',
    message: /virtualRouters\[0\]\.vrid: .*fifty-one/,
  },
  {
    what: 'a VRID that is used twice on an interface',
    from: '  - name: vip\n',
    to: '  - { name: other, vrid: 51, priority: 90, addresses: [192.0.2.99/24] }\n  - name: vip\n',
    at: '51',
    message: /virtualRouters\[[01]\]\.vrid: .*51/,
  },
];

for (const { what, from, to, at, message } of mistakes) {
  lanTest(`${what} ends the agent with file, line and column`, [], async (scene) => {
    const config = sound(scene).replace(from, to);
    assert.notEqual(config, sound(scene));
    const result = await runAgent(scene, config);
    assertFailure(scene, result, 'CONFIG_INVALID', message);
    const { configPath } = agentFiles(scene.lan, 'lb1');
    const places = positionsOf(config, at).map((place) => `${configPath}:${place} `);
    assert.ok(
      places.some((place) => result.stderr.includes(place)),
      `${result.stderr}\nnames none of ${places.join(', ')}`,
    );
  });
}

function sound(scene: LanScene): string {
  return agentConfig(scene.lan, 'lb1', settings);
}

/** Runs an agent that is expected to end by itself. */
function runAgent(
  scene: LanScene,
  config: string,
  wrapper: readonly string[] = [],
): Promise<CommandResult> {
  const { configPath } = agentFiles(scene.lan, 'lb1');
  writeFileSync(configPath, config);
  return runTandem(scene.lan, 'lb1', ['run', '-c', configPath, '--node', 'lb1'], wrapper);
}

/** The right exit code, one error, and nothing left half-done. */
function assertFailure(
  scene: LanScene,
  result: CommandResult,
  code: ErrorCode,
  message: RegExp,
): void {
  assert.equal(result.exitCode, errorTable[code].exitCode, result.stderr + result.stdout);
  assertOneError(result, message);
  assert.deepEqual(scene.lan.holders(), [], 'no virtual address is left');
  assert.deepEqual(scene.advertsOf('lb1'), [], 'nothing was advertised');
  const { socketPath } = agentFiles(scene.lan, 'lb1');
  assert.equal(existsSync(socketPath), false, `${dirname(socketPath)} holds no socket`);
}

/** One message and one hint, and no stack of calls. */
function assertOneError({ stderr }: CommandResult, message: RegExp): void {
  assert.match(stderr, message);
  assert.equal(stderr.match(/^tandem: /gm)?.length, 1, stderr);
  assert.equal(stderr.match(/^ {2}hint: /gm)?.length, 1, stderr);
  assert.doesNotMatch(stderr, /^\s+at /m);
}

/** Every place of a text as `line:column`, both counted from 1. */
function positionsOf(text: string, wanted: string): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    const column = line.indexOf(wanted);
    return column < 0 ? [] : [`${index + 1}:${column + 1}`];
  });
}
