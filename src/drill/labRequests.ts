/**
 * Commands for a lab in an embedded kernel. They cross its border as files of the shared folder:
 * `ID.json` holds the command, `ID.out` its growing output, `ID.status` its exit status.
 */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from '../errors.js';
import { FileFollower } from './followedText.js';
import type { Lab } from './lab.js';
import { nodeEnvironment } from './labPrograms.js';

/** A command to be run on a node of the lab. */
export interface LabRequest {
  readonly node: string;
  readonly command: readonly string[];
}

const pollIntervalMs = 100;

/** Exit status of a command that could not be started, as in a shell. */
const notStartedStatus = 127;

/** The folder of requests within a shared folder. */
export function requestsFolder(sharedFolder: string): string {
  const folder = join(sharedFolder, 'requests');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Looks for requests and carries them out, until `isEnded`. Runs where the lab is. */
export async function serveRequests(
  lab: Lab,
  sharedFolder: string,
  isEnded: () => boolean,
): Promise<void> {
  const folder = requestsFolder(sharedFolder);
  const seen = new Set<string>();
  while (!isEnded()) {
    for (const name of readdirSync(folder)) {
      if (!name.endsWith('.json') || seen.has(name)) continue;
      seen.add(name);
      const path = join(folder, name.slice(0, -'.json'.length));
      carryOutRequest(lab, path);
    }
    await sleep(pollIntervalMs);
  }
}

function carryOutRequest(lab: Lab, path: string): void {
  const finish = (status: number): void => {
    writeFileSync(`${path}.status.part`, `${status}\n`);
    renameSync(`${path}.status.part`, `${path}.status`);
  };
  const output = openSync(`${path}.out`, 'a');
  try {
    const { node, command } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as LabRequest;
    const [program = '', ...args] = command;
    const child = lab.network.namespace(node).spawn(program, args, {
      stdio: ['ignore', output, output],
      cwd: lab.folder,
      env: nodeEnvironment(lab.folder, node),
    });
    child.once('error', (error) => {
      writeFileSync(`${path}.out`, `${error.message}\n`, { flag: 'a' });
      finish(notStartedStatus);
    });
    child.once('exit', (code, signal) => finish(code ?? (signal === null ? 1 : 128)));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    writeFileSync(`${path}.out`, `${message}\n`, { flag: 'a' });
    finish(notStartedStatus);
  } finally {
    closeSync(output);
  }
}

/** Sends a request, passes its output on, and returns its exit status. Runs outside. */
export async function sendRequest(
  sharedFolder: string,
  request: LabRequest,
  isLabUp: () => boolean,
  onOutput: (text: string) => void,
): Promise<number> {
  const path = join(requestsFolder(sharedFolder), randomBytes(6).toString('hex'));
  writeFileSync(`${path}.out`, '');
  writeFileSync(`${path}.json.part`, JSON.stringify(request));
  renameSync(`${path}.json.part`, `${path}.json`);
  const follower = new FileFollower(`${path}.out`, onOutput);
  try {
    for (;;) {
      const ended = existsSync(`${path}.status`);
      follower.read();
      if (ended) {
        follower.finish();
        return Number.parseInt(readFileSync(`${path}.status`, 'utf8'), 10);
      }
      if (!isLabUp()) throw new TandemError('LAB_FAILED', 'the lab has ended');
      await sleep(pollIntervalMs);
    }
  } finally {
    follower.close();
  }
}
