/** The file probe: a number that somebody writes on this machine. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ProbeSpecOf } from '../probeSpec.js';
import { fillIn } from './placeholders.js';
import { failed, inconclusive, type Probe, type ProbeOutcome, passed } from './probe.js';

type FileProbeSpec = ProbeSpecOf<'file'>;

/** A number and its newline are shorter. */
const fileBytesMax = 64;

/** Reads it anew each time. A file that is not there says nothing of the server. */
export const probeFile: Probe<FileProbeSpec> = (target, spec, signal) =>
  new Promise((resolve) => {
    const onDeadline = (): void => {
      resolve(inconclusive('local-resources', 'the file could not be read in time'));
    };
    if (signal.aborted) onDeadline();
    else signal.addEventListener('abort', onDeadline, { once: true });
    void read(fillIn(spec.path, target), spec.meaning).then((outcome) => {
      signal.removeEventListener('abort', onDeadline);
      resolve(outcome);
    });
  });

async function read(path: string, meaning: FileProbeSpec['meaning']): Promise<ProbeOutcome> {
  try {
    // Without O_NONBLOCK a FIFO would hold one of the few threads that all files share.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(fileBytesMax), 0, fileBytesMax, 0);
      return judgeNumber(buffer.toString('latin1', 0, bytesRead).trim(), meaning);
    } finally {
      await file.close();
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return inconclusive('command-not-started', text);
  }
}

/** What the text in the file says. */
export function judgeNumber(text: string, meaning: FileProbeSpec['meaning']): ProbeOutcome {
  if (!/^-?\d{1,9}$/.test(text)) return inconclusive('command-not-started', `no number: "${text}"`);
  const value = Number(text);
  if (meaning === 'zero-passes') {
    return value === 0 ? passed('0') : failed('reported-down', `the file says ${value}`);
  }
  if (value < 0 || value > 100) {
    return inconclusive('command-not-started', `${value} is no share from 0 to 100`);
  }
  return passed(`weight ${value} %`, value);
}
