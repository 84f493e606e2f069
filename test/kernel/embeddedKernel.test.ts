import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { runInEmbeddedKernel } from '../../src/drill/embeddedKernel.js';
import { findEmbeddedKernel } from '../../src/drill/embeddedKernelPackage.js';
import { widenedKernel } from '../../src/drill/processorState.js';
import { folderPrefix, removeStaleEmbeddedKernels } from '../../src/drill/staleEmbeddedKernels.js';
import { TandemError } from '../../src/errors.js';

const timeoutMs = 60_000;

test('a command gets its output out whole and its exit status exactly', async () => {
  let live = '';
  let sharedFolder = '';
  const { exitCode, output } = await runInEmbeddedKernel({
    command: ['sh', '-c', 'seq 1 50000; echo to stderr >&2; printf "no newline: €"; exit 42'],
    timeoutMs,
    onOutput: (chunk) => {
      live += chunk;
    },
    onFolder: (folder) => {
      sharedFolder = folder;
    },
  });
  assert.equal(exitCode, 42);
  const numbers = Array.from({ length: 50_000 }, (_, index) => `${index + 1}\n`).join('');
  assert.equal(output, `${numbers}to stderr\nno newline: €`);
  assert.equal(live, output);
  assert.ok(!existsSync(dirname(sharedFolder)), 'the temporary folder is left behind');
});

test('output arrives while the command runs, and files cross the border in both ways', async () => {
  let sharedFolder = '';
  let seen = '';
  let answer = '';
  const { exitCode } = await runInEmbeddedKernel({
    command: [
      'sh',
      '-c',
      'cd $TANDEM_SHARED_FOLDER; echo up; until [ -e go ]; do sleep 0.1; done; cat go > answer',
    ],
    timeoutMs,
    onFolder: (folder) => {
      sharedFolder = folder;
    },
    onOutput: (chunk) => {
      seen += chunk;
      // Only a live stream can bring the command to its end.
      writeFileSync(join(sharedFolder, 'go'), 'gone\n');
    },
    onEnd: (folder) => {
      answer = readFileSync(join(folder, 'answer'), 'utf8');
    },
  });
  assert.equal(exitCode, 0);
  assert.equal(seen, 'up\n');
  assert.equal(answer, 'gone\n');
});

test('inside it is root with IPVS, environment and working directory as given', async () => {
  const { exitCode, output } = await runInEmbeddedKernel({
    command: ['sh', '-c', 'id -u; pwd; echo "$GREETING"; ipvsadm -Ln | head -1; echo $(nproc)'],
    env: { GREETING: "it's $HOME" },
    workingDirectory: '/usr',
    timeoutMs,
  });
  assert.equal(exitCode, 0);
  const [uid, folder, greeting, ipvs] = output.split('\n');
  assert.deepEqual([uid, folder, greeting], ['0', '/usr', "it's $HOME"]);
  assert.match(ipvs ?? '', /^IP Virtual Server/);
});

test('a panic is reported with the end of the console', async () => {
  const run = runInEmbeddedKernel({
    command: ['sh', '-c', 'echo before; echo c > /proc/sysrq-trigger'],
    timeoutMs,
  });
  await assert.rejects(run, (error) => {
    assert.ok(error instanceof TandemError);
    assert.equal(error.code, 'LAB_FAILED');
    assert.match(error.message, /Kernel panic/);
    assert.match(error.message, /before/);
    return true;
  });
});

test('a command that does not end in time is killed and reported', async () => {
  let sharedFolder = '';
  const run = runInEmbeddedKernel({
    command: ['sh', '-c', 'echo waiting; sleep 1000'],
    timeoutMs: 6_000,
    onFolder: (folder) => {
      sharedFolder = folder;
    },
  });
  await assert.rejects(run, (error) => {
    assert.ok(error instanceof TandemError);
    assert.match(error.message, /did not finish within 6000 ms/);
    return true;
  });
  assert.ok(!existsSync(dirname(sharedFolder)));
  await eventually(() => processesOf(dirname(sharedFolder)).length === 0);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends the kernel, its processes and its folder`, async () => {
    const { child, folder } = await bootInChild();
    assert.notEqual(processesOf(folder).length, 0);
    const ended = new Promise((resolve) => child.once('exit', (_code, by) => resolve(by)));
    child.kill(signal);
    assert.equal(await ended, signal);
    assert.ok(!existsSync(folder), 'the temporary folder is left behind');
    await eventually(() => processesOf(folder).length === 0);
  });
}

test('what a killed process leaves behind is removed by the next one', async () => {
  const { child, folder } = await bootInChild();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  await eventually(() => {
    removeStaleEmbeddedKernels();
    return !existsSync(folder) && processesOf(folder).length === 0;
  });
});

/** A process of its own that boots a kernel and says its folder once the kernel is up. */
async function bootInChild(): Promise<{ child: ChildProcess; folder: string }> {
  const module = new URL('../../src/drill/embeddedKernel.js', import.meta.url).href;
  const script = `
    import { runInEmbeddedKernel } from ${JSON.stringify(module)};
    await runInEmbeddedKernel({
      command: ['sh', '-c', 'echo $TANDEM_SHARED_FOLDER; sleep 1000'],
      timeoutMs: 60000,
      onOutput: (chunk) => process.stdout.write(chunk),
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
  });
  const sharedFolder = await new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    child.once('exit', () => reject(new Error('the child ended before its kernel was up')));
  });
  const folder = dirname(sharedFolder);
  assert.ok(basename(folder).startsWith(folderPrefix));
  return { child, folder };
}

/** The processes of the kernel that has a folder; those that have ended and wait do not count. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`uml_dir=${folder}/`);
      } catch {
        return false;
      }
    });
}

async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'the condition did not come true within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a copy that takes larger registers runs on this processor, whatever it has', async () => {
  const installed = await findEmbeddedKernel();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-widened-'));
  try {
    const widened = widenedKernel(readFileSync(installed.kernelPath));
    assert.ok(widened !== undefined, 'the place was not found in the kernel of the system');
    const kernelPath = join(folder, 'linux');
    writeFileSync(kernelPath, widened, { mode: 0o755 });
    // Two processes that both compute with wide registers, so that these are put away and back.
    const compute = 'for i in 1 2; do head -c 20000000 /dev/zero | sha256sum & done; wait';
    const { exitCode, output } = await runInEmbeddedKernel({
      command: ['sh', '-c', compute],
      timeoutMs,
      kernelPackage: { ...installed, kernelPath },
    });
    const [first, second] = output.split('\n');
    const expected = createHash('sha256').update(Buffer.alloc(20_000_000)).digest('hex');
    assert.deepEqual([exitCode, first, second], [0, `${expected}  -`, `${expected}  -`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
