/**
 * Every lab of this user has a folder, which names what the lab made on the machine. So a lab
 * whose process was killed outright can be found and removed later.
 */

import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TandemError } from '../errors.js';
import type { KernelKind } from './kernelChoice.js';
import { removeNamespaces } from './labNetwork.js';

/** A process, told apart from a later one with the same number by its start time. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot (field 22 of /proc/PID/stat). */
  readonly startTicks: string;
}

/** What is on record of one lab. */
export interface LabRecord {
  readonly id: string;
  readonly folder: string;
  readonly topology: string;
  readonly kernel: KernelKind;
  /** `drill` while a drill runs, `up` when it is kept up to look around in. */
  readonly purpose: 'drill' | 'up';
  readonly owner: ProcessIdentity;
  readonly namespaces: readonly string[];
  /** The agents and whatever else the lab has started. */
  readonly processes: readonly ProcessIdentity[];
  readonly createdUnixMs: number;
  /** Whether it works; a lab that is kept up says so when its agents do. */
  readonly ready: boolean;
  /** In the embedded kernel: the folder that requests go through. */
  readonly sharedFolder?: string;
}

const recordFile = 'lab.json';

/** The folder of all labs of this user. Throws `LAB_FAILED` when it belongs to somebody else. */
export function labsFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `tandem-labs-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const status = lstatSync(folder);
  if (!status.isDirectory() || status.uid !== uid) {
    throw new TandemError('LAB_FAILED', `${folder} is not a folder of this user`, {
      hint: 'Remove it, or set TMPDIR to a folder of your own.',
    });
  }
  return folder;
}

/** Makes the folder of a new lab with an id that no other has. */
export function createLabFolder(): { readonly id: string; readonly folder: string } {
  const id = randomBytes(3).toString('hex');
  const folder = join(labsFolder(), id);
  mkdirSync(folder, { mode: 0o700 });
  return { id, folder };
}

/** Writes or replaces the record of a lab. */
export function writeLabRecord(record: LabRecord): void {
  writeFileSync(join(record.folder, recordFile), `${JSON.stringify(record, null, 2)}\n`);
}

/** The records of all labs of this user, oldest first. */
export function readLabRecords(): readonly LabRecord[] {
  const root = labsFolder();
  return readdirSync(root)
    .map((id) => join(root, id, recordFile))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as LabRecord)
    .sort((left, right) => left.createdUnixMs - right.createdUnixMs);
}

/** This process, or another; `undefined` when it does not run. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in parentheses and may itself hold blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended already.
    if (fields[0] === 'Z') return undefined;
    return { pid, startTicks: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTicks === identity.startTicks;
}

/** Removes all that a lab left on the machine: processes, namespaces, folder. */
export function removeLabRemains(record: LabRecord): void {
  for (const identity of record.processes) {
    if (isRunning(identity)) process.kill(identity.pid, 'SIGKILL');
  }
  removeNamespaces(record.namespaces);
  rmSync(record.folder, { recursive: true, force: true });
}
