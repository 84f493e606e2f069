/** The file that overrides survive a restart in: written whole, put into place by a rename. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type OverrideRecord, overrideRecordsShape } from '../wire/overrideModel.js';

/** Raised when an older program would misread the file. */
const formatVersion = 1;

/** Larger than the largest file that is written; more is damage. */
const fileBytesMax = 8 * 1024 * 1024;

/** What was in the file. */
export type OverrideFileContent =
  | { readonly kind: 'read'; readonly records: readonly OverrideRecord[] }
  | { readonly kind: 'missing' }
  /** It is not what this program writes; it was renamed to `keptAs`, when that was possible. */
  | { readonly kind: 'damaged'; readonly problem: string; readonly keptAs: string | null };

/** Reads the file. What cannot be used is put aside, so that nothing is lost by the next write. */
export function readOverrideFile(path: string): OverrideFileContent {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'missing' };
    return { kind: 'damaged', problem: messageOf(error), keptAs: null };
  }
  try {
    return { kind: 'read', records: parse(text) };
  } catch (error) {
    return { kind: 'damaged', problem: messageOf(error), keptAs: putAside(path) };
  }
}

/** Writes the file. Throws what the file system says; the old file is whole then. */
export function writeOverrideFile(path: string, records: readonly OverrideRecord[]): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const part = `${path}.part`;
  const descriptor = openSync(part, 'w', 0o640);
  try {
    writeSync(descriptor, `${JSON.stringify({ version: formatVersion, records }, null, 1)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(part, path);
  syncFolder(dirname(path));
}

function parse(text: string): readonly OverrideRecord[] {
  if (text.length > fileBytesMax) throw new Error(`it has more than ${fileBytesMax} bytes`);
  const value: unknown = JSON.parse(text);
  const { version, records } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (version !== formatVersion) {
    throw new Error(`its version is ${JSON.stringify(version)}, not ${formatVersion}`);
  }
  return overrideRecordsShape.read(records, 'records');
}

/** The rename is on the disk only when its folder is. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function putAside(path: string): string | null {
  const keptAs = `${path}.damaged`;
  try {
    renameSync(path, keptAs);
    return keptAs;
  } catch {
    return null;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
