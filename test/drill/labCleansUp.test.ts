import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootTest } from '../kernel/support/rootTest.js';
import { runProgram } from './support/program.js';

const drillFolder = new URL('../../src/drill/', import.meta.url).href;

/** A process that builds the network and the real servers of a lab, says its id, and waits. */
const script = `
  import { Lab } from '${drillFolder}lab.js';
  import { natTopology } from '${drillFolder}natTopologies.js';
  // The running kernel may have no IPVS, and so no settings of IPVS.
  const nodes = natTopology.nodes.map((node) => ({ ...node, sysctls: {} }));
  const lab = new Lab({ ...natTopology, nodes }, 'host', 'drill');
  await lab.startServers();
  console.log(lab.id);
  if (process.env.LAB_ENDS === 'exception') throw new Error('on purpose');
  if (process.env.LAB_ENDS === 'remove') await lab.remove();
  else setInterval(() => undefined, 1000);
`;

interface RunningLab {
  readonly id: string;
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
}

async function startLab(folder: string, ends: string): Promise<RunningLab> {
  const path = join(folder, `lab-${ends}.mjs`);
  writeFileSync(path, script);
  const child = spawn(process.execPath, [path], {
    cwd: '/',
    env: { ...process.env, TMPDIR: folder, LAB_ENDS: ends },
    stdio: ['ignore', 'pipe', ends === 'exception' ? 'ignore' : 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const id = await new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    child.once('exit', () => reject(new Error('the lab ended before it was built')));
  });
  return { id, child, ended };
}

function namespacesOf(id: string): string[] {
  return readdirSync('/run/netns').filter((name) => name.startsWith(`tandem-${id}-`));
}

function labFolders(folder: string): string[] {
  return readdirSync(join(folder, `tandem-labs-${process.getuid?.()}`));
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-test-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const ends of ['remove', 'exception'] as const) {
  rootTest(`a lab that ends by ${ends} leaves nothing behind`, () =>
    withFolder(async (folder) => {
      const { id, ended } = await startLab(folder, ends);
      await ended;
      assert.deepEqual([namespacesOf(id), labFolders(folder)], [[], []]);
    }),
  );
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  rootTest(`a lab that ends by ${signal} leaves nothing behind`, () =>
    withFolder(async (folder) => {
      const { id, child, ended } = await startLab(folder, 'signal');
      assert.notDeepEqual(namespacesOf(id), []);
      child.kill(signal);
      await ended;
      assert.equal(child.signalCode, signal);
      assert.deepEqual([namespacesOf(id), labFolders(folder)], [[], []]);
    }),
  );
}

rootTest(
  'what a killed lab leaves behind is removed by `tandem lab down`, and no other lab is',
  () =>
    withFolder(async (folder) => {
      const killed = await startLab(folder, 'signal');
      const alive = await startLab(folder, 'signal');
      killed.child.kill('SIGKILL');
      await killed.ended;
      assert.notDeepEqual(namespacesOf(killed.id), []);
      const { status, stdout } = await runProgram(['lab', 'down'], { env: { TMPDIR: folder } });
      assert.equal(status, 0);
      assert.equal(stdout, `lab ${killed.id} removed\n`);
      assert.deepEqual(namespacesOf(killed.id), []);
      assert.equal(namespacesOf(alive.id).length, 7);
      assert.deepEqual(labFolders(folder), [alive.id]);
      alive.child.kill('SIGTERM');
      await alive.ended;
      assert.deepEqual(namespacesOf(alive.id), []);
    }),
);
