import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type NodeChoice, readConfigFile } from '../../../src/config/read.js';
import { TandemError } from '../../../src/errors.js';
import { changed, soundConfig } from './soundConfig.js';

const folder = mkdtempSync(join(tmpdir(), 'tandem-config-'));
after(() => rmSync(folder, { recursive: true }));

function fileWith(content: string | Uint8Array): string {
  const path = join(folder, 'tandem.yaml');
  writeFileSync(path, content);
  return path;
}

const onLb1: NodeChoice = { environment: {}, hostname: 'lb1' };

function failure(path: string, choice: NodeChoice): TandemError {
  try {
    readConfigFile(path, choice);
  } catch (error) {
    assert.ok(error instanceof TandemError);
    return error;
  }
  return assert.fail('nothing was thrown');
}

test('a node finds itself by its hostname', () => {
  const { config, warnings } = readConfigFile(fileWith(soundConfig), onLb1);
  assert.equal(config.node.name, 'lb1');
  assert.equal(config.virtualRouters[0]?.priority, 150);
  assert.deepEqual(warnings, []);
});

test('a node finds itself by its hostname without the domain', () => {
  const choice = { environment: {}, hostname: 'lb2.example.com' };
  const { config } = readConfigFile(fileWith(soundConfig), choice);
  assert.equal(config.node.name, 'lb2');
  assert.equal(config.virtualRouters[0]?.priority, 100);
});

test('the environment names the node before the hostname, and the command line before both', () => {
  const path = fileWith(soundConfig);
  const environment = { TANDEM_NODE: 'lb2' };
  assert.equal(readConfigFile(path, { ...onLb1, environment }).config.node.name, 'lb2');
  const named = { environment, hostname: 'lb2', node: 'lb1' };
  assert.equal(readConfigFile(path, named).config.node.name, 'lb1');
});

test('a hostname that is not in the file is told with the nodes that are', () => {
  const path = fileWith(soundConfig);
  const error = failure(path, { environment: {}, hostname: 'db1' });
  assert.equal(error.code, 'NODE_UNKNOWN');
  assert.equal(error.exitCode, 2);
  assert.equal(error.message, `the hostname db1 is not one of the nodes of ${path}: lb1, lb2`);
});

test('a node that was asked for and is not in the file is not replaced by the hostname', () => {
  const error = failure(fileWith(soundConfig), { ...onLb1, node: 'lb9' });
  assert.equal(error.code, 'NODE_UNKNOWN');
  assert.match(error.message, /^node lb9 is not one of the nodes of /);
});

test('a file with errors is refused with all of them, one on a line', () => {
  const path = fileWith(changed(['vrid: 51', 'vrid: 0'], ['interval: 2s', 'interval: 10ms']));
  const error = failure(path, onLb1);
  assert.equal(error.code, 'CONFIG_INVALID');
  assert.equal(error.exitCode, 2);
  assert.deepEqual(error.message.split('\n'), [
    `${path}:7:11 virtualRouters[0].vrid: must be at least 1, got 0`,
    `${path}:25:17 services[0].check.interval: must be at least 100ms, got 10ms`,
  ]);
});

test('warnings come along with a configuration that can be used', () => {
  const path = fileWith(changed(['timeout: 1s', 'timeout: 3s']));
  const { warnings } = readConfigFile(path, onLb1);
  assert.equal(warnings.length, 1);
  assert.ok(warnings[0]?.startsWith(`${path}:26:16 services[0].check.timeout: 3s is longer`));
});

test('a file that is not there is told by its path and errno', () => {
  const error = failure('/nonexistent/tandem.yaml', onLb1);
  assert.equal(error.code, 'CONFIG_UNREADABLE');
  assert.equal(error.errnoName, 'ENOENT');
  assert.equal(
    error.message,
    'cannot read /nonexistent/tandem.yaml: ENOENT: no such file or directory',
  );
});

test('a folder is not a configuration', () => {
  const error = failure(folder, onLb1);
  assert.equal(error.code, 'CONFIG_UNREADABLE');
  assert.equal(error.errnoName, 'EISDIR');
});

test('a file that is not UTF-8 is not read as if it were', () => {
  const error = failure(fileWith(Uint8Array.from([0x63, 0x3a, 0x20, 0xff])), onLb1);
  assert.equal(error.code, 'CONFIG_UNREADABLE');
  assert.equal(error.errnoName, undefined);
  assert.match(error.message, /not valid/);
});
