/** Labs from outside: bring one up in the background, run commands in it, take it down. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from '../errors.js';
import { openNetworkNamespace } from '../kernel/networkNamespace.js';
import { runInEmbeddedKernel } from './embeddedKernel.js';
import type { KernelKind } from './kernelChoice.js';
import { namespaceName } from './labNetwork.js';
import { nodeEnvironment } from './labPrograms.js';
import {
  createLabFolder,
  identifyProcess,
  isRunning,
  type LabRecord,
  labsFolder,
  readLabRecords,
  removeLabRemains,
  writeLabRecord,
} from './labRegistry.js';
import { type LabRequest, sendRequest } from './labRequests.js';
import { lastWords } from './lastWords.js';
import { mainScriptPath } from './packageFolders.js';
import { onProcessEnd } from './processEnd.js';
import type { TopologyName } from './topology.js';

/** How long a lab may take to come up or to go, in milliseconds. */
const upTimeoutMs = 180_000;
const downTimeoutMs = 15_000;
const pollIntervalMs = 100;

/** A lab in the embedded kernel writes this file into the shared folder when it works. */
export const readyFileName = 'ready';

/** Starts a process that keeps a lab up, and waits until it works. */
export async function bringLabUp(
  topology: TopologyName,
  kernel: KernelKind,
  onProgress: () => void,
): Promise<LabRecord> {
  const logPath = join(labsFolder(), `up-${process.pid}.log`);
  const log = openSync(logPath, 'w');
  const command = [mainScriptPath(), 'lab', 'keep', '--topology', topology, '--kernel', kernel];
  const keeper = spawn(process.execPath, command, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  const deadline = Date.now() + upTimeoutMs;
  const giveUp = onProcessEnd(() => keeper.kill('SIGTERM'));
  try {
    for (;;) {
      const record = readLabRecords().find(({ owner }) => owner.pid === keeper.pid);
      if (record?.ready === true) {
        keeper.unref();
        return record;
      }
      const ended = keeper.exitCode !== null || keeper.signalCode !== null;
      if (ended || Date.now() > deadline) {
        keeper.kill('SIGTERM');
        const { message, hint } = lastWords(readFileSync(logPath, 'utf8'));
        throw new TandemError(
          'LAB_FAILED',
          `the lab did not come up: ${message}`,
          hint === undefined ? {} : { hint },
        );
      }
      onProgress();
      await sleep(pollIntervalMs);
    }
  } finally {
    giveUp();
    rmSync(logPath, { force: true });
  }
}

/** Boots an embedded kernel that keeps a lab up inside; returns only when it has ended. */
export async function keepEmbeddedLab(
  topology: TopologyName,
  onOutput: (text: string) => void,
): Promise<void> {
  const command = [process.execPath, mainScriptPath(), 'lab', 'keep', '--topology', topology];
  await runRecorded('up', topology, (onFolder, onReady) =>
    runInEmbeddedKernel({
      command,
      workingDirectory: '/',
      timeoutMs: Number.POSITIVE_INFINITY,
      onFolder,
      onOutput: (text) => {
        onOutput(text);
        onReady();
      },
    }),
  );
}

/**
 * Puts a lab of an embedded kernel on record while `run` runs it. `onReady` looks whether the lab
 * inside has said that it works, and tells so once.
 */
export async function runRecorded<T>(
  purpose: LabRecord['purpose'],
  topology: string,
  run: (onFolder: (sharedFolder: string) => void, onReady: () => boolean) => Promise<T>,
): Promise<T> {
  const owner = identifyProcess(process.pid);
  if (owner === undefined) throw new TandemError('INTERNAL', '/proc does not show this process');
  const { id, folder } = createLabFolder();
  let record: LabRecord = {
    id,
    folder,
    topology,
    kernel: 'embedded',
    purpose,
    owner,
    namespaces: [],
    processes: [],
    createdUnixMs: Date.now(),
    ready: false,
  };
  writeLabRecord(record);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const unregister = onProcessEnd(remove);
  try {
    return await run(
      (sharedFolder) => {
        record = { ...record, sharedFolder };
        writeLabRecord(record);
      },
      () => {
        if (record.ready || record.sharedFolder === undefined) return false;
        if (!existsSync(join(record.sharedFolder, readyFileName))) return false;
        record = { ...record, ready: true, purpose: 'up' };
        writeLabRecord(record);
        return true;
      },
    );
  } finally {
    unregister();
    remove();
  }
}

/** Says to the process outside that the lab inside works. */
export function writeReady(sharedFolder: string): void {
  writeFileSync(join(sharedFolder, readyFileName), '');
}

/** The lab that a command means. Throws `LAB_FAILED` when there is none or it is not clear. */
export function findLab(id: string | undefined): LabRecord {
  const running = readLabRecords().filter((record) => record.ready && isRunning(record.owner));
  const found = id === undefined ? running : running.filter((record) => record.id === id);
  const [lab] = found;
  if (lab === undefined) {
    const which = id === undefined ? 'no lab is up' : `no lab ${id} is up`;
    throw new TandemError('LAB_FAILED', which, { hint: 'Bring one up: tandem lab up' });
  }
  if (found.length > 1) {
    const ids = found.map((record) => record.id).join(', ');
    throw new TandemError('LAB_FAILED', 'several labs are up', {
      hint: `Name one with --lab; they are: ${ids}.`,
    });
  }
  return lab;
}

/** Runs a command on a node of a lab; returns its exit status. */
export async function executeInLab(
  lab: LabRecord,
  request: LabRequest,
  onOutput: (text: string) => void,
): Promise<number> {
  if (lab.sharedFolder !== undefined) {
    return sendRequest(lab.sharedFolder, request, () => isRunning(lab.owner), onOutput);
  }
  const name = namespaceName(lab.id, request.node);
  if (!lab.namespaces.includes(name)) {
    const nodes = lab.namespaces.map((namespace) => namespace.split('-').at(-1)).join(', ');
    throw new TandemError('LAB_FAILED', `the lab has no node ${request.node}`, {
      hint: `Its nodes are: ${nodes}.`,
    });
  }
  const namespace = openNetworkNamespace(name);
  const [program = '', ...args] = request.command;
  const child = namespace.spawn(program, args, {
    stdio: 'inherit',
    cwd: lab.folder,
    env: nodeEnvironment(lab.folder, request.node),
  });
  namespace.close();
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new TandemError('LAB_FAILED', `${program}: ${cause.message}`, { cause }));
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/**
 * Takes labs down: the one named, or all that are kept up, and what labs of dead processes have
 * left behind. Returns those that it removed.
 */
export async function takeLabsDown(id: string | undefined): Promise<readonly LabRecord[]> {
  const removed: LabRecord[] = [];
  for (const record of readLabRecords()) {
    const alive = isRunning(record.owner);
    const meant = id === undefined ? !alive || record.purpose === 'up' : record.id === id;
    if (!meant) continue;
    if (alive) await endOwner(record);
    removeLabRemains(record);
    removed.push(record);
  }
  if (id !== undefined && removed.length === 0) {
    throw new TandemError('LAB_FAILED', `there is no lab ${id}`);
  }
  return removed;
}

async function endOwner(record: LabRecord): Promise<void> {
  process.kill(record.owner.pid, 'SIGTERM');
  const deadline = Date.now() + downTimeoutMs;
  while (isRunning(record.owner)) {
    if (Date.now() > deadline) {
      process.kill(record.owner.pid, 'SIGKILL');
      return;
    }
    await sleep(pollIntervalMs);
  }
}
