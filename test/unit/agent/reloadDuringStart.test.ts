import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Agent } from '../../../src/agent/agent.js';
import { openLog } from '../../../src/agent/logger.js';
import { readConfigFile, readConfigText } from '../../../src/config/read.js';

/** An agent without virtual routers and services, which needs no privilege. */
async function scene(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-reload-'));
  const configPath = join(folder, 'tandem.yaml');
  const write = (level: string): void => {
    const text = [
      'cluster: reload',
      'nodes: { lb1: { address: 127.0.0.1, interface: lo } }',
      'connectionSync: { mode: off }',
      `api: { socket: ${join(folder, 'tandem.sock')} }`,
      `overrides: { stateFile: ${join(folder, 'state')}, maintenanceFolder: ${folder} }`,
      `log: { level: ${level} }`,
    ].join('\n');
    writeFileSync(configPath, text);
  };
  write('error');
  const nowhere = openSync('/dev/null', 'w');
  const log = await openLog('error', false, nowhere);
  let hook = (): void => {};
  const choice = { node: 'lb1', environment: {}, hostname: '' };
  const readConfig = () => readConfigFile(configPath, choice);
  const agent = new Agent({
    configPath,
    version: '0.0.0',
    log,
    readConfig: () => {
      const result = readConfig();
      hook();
      return result;
    },
    readText: (file, text) => readConfigText(file, text, choice),
  });
  context.after(async () => {
    await agent.stop();
    log.flush();
    closeSync(nowhere);
    rmSync(folder, { recursive: true });
  });
  const onRead = (next: () => void): void => {
    hook = next;
  };
  return { agent, write, readConfig, onRead, level: () => log.logger.level };
}

test('a file that changes while the agent starts is in force after the reload', async (context) => {
  const { agent, write, readConfig, level } = await scene(context);
  const started = agent.start(readConfig());
  write('warn');
  const reloaded = agent.reload();
  await started;
  assert.match((await reloaded).message, /^reloaded /);
  assert.equal(level(), 'warn');
  assert.equal((await agent.status()).configuration.lastReload?.ok, true);
});

test('a file that changes during a reload is in force after the next one', async (context) => {
  const { agent, write, readConfig, level, onRead } = await scene(context);
  await agent.start(readConfig());
  write('warn');
  let second: Promise<unknown> | undefined;
  onRead(() => {
    onRead(() => {});
    // The first reload has just read the file, and cannot know of this.
    write('info');
    second = agent.reload();
  });
  await agent.reload();
  await second;
  assert.equal(level(), 'info');
});
