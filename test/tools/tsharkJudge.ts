/** tshark as a judge of what is on the wire: what it reads, and what it complains of. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DaemonProcess } from './daemonProcess.js';
import type { LanNode } from './lan.js';
import type { LanScene } from './lanTest.js';

const decodeTimeoutMs = 60_000;

/** Severities that tshark gives to what is wrong (epan/proto.h, PI_WARN). */
const severityWarning = 0x00600000;

/** Records with tcpdump what a node hears of `filter` while `body` runs; the file that it is in. */
export async function recordAt(
  scene: LanScene,
  node: LanNode,
  filter: string,
  body: () => Promise<void>,
): Promise<string> {
  const file = join(scene.lan.folder, 'capture.pcap');
  const tcpdump = new DaemonProcess({
    namespace: scene.lan.namespace(node),
    command: 'tcpdump',
    args: ['-i', 'eth0', '--immediate-mode', '-U', '-Z', 'root', '-w', file, filter],
    logPath: join(scene.lan.folder, 'tcpdump.log'),
  });
  try {
    await tcpdump.waitUntil('tcpdump listens', () => tcpdump.log.includes('listening on'));
    await body();
  } finally {
    await tcpdump.end('SIGINT');
  }
  return file;
}

/** The values of some fields in every packet that a display filter lets through. */
export async function fieldsOf(
  file: string,
  filter: string,
  fields: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const selected = fields.flatMap((field) => ['-e', field]);
  const text = await tshark(file, '-Y', filter, '-T', 'fields', ...selected);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** Nothing malformed, and no expert information from a warning upwards, in what `of` selects. */
export async function assertNoComplaints(file: string, of = 'frame'): Promise<void> {
  const complaints = await fieldsOf(file, `${of} && _ws.expert.severity >= ${severityWarning}`, [
    'frame.number',
    '_ws.expert.message',
  ]);
  assert.deepEqual(complaints, []);
  assert.deepEqual(await fieldsOf(file, `${of} && _ws.malformed`, ['frame.number']), []);
  const text = await tshark(file, '-V', '-Y', of);
  assert.doesNotMatch(text, /malformed|bad checksum|\[Expert Info \((Warning|Error)/i);
}

/** IP checksums are looked at only when asked for, since network cards often fill them in. */
async function tshark(file: string, ...args: readonly string[]): Promise<string> {
  const options = { timeout: decodeTimeoutMs, maxBuffer: 64 * 1024 * 1024 };
  const preferences = ['-o', 'ip.check_checksum:TRUE'];
  const { stdout } = await promisify(execFile)(
    'tshark',
    ['-r', file, ...preferences, ...args],
    options,
  );
  return stdout;
}
