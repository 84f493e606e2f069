/** The real agent as a process beside the test. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fetchStatus } from '../../src/api/client.js';
import { eventually } from './ipvsSupport.js';

const mainScript = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Starts it as a node and waits until it answers; it is gone when the test ends. */
export async function startAgent(
  context: TestContext,
  configPath: string,
  socketPath: string,
  node = 'lb1',
): Promise<ChildProcess> {
  const agent = spawn(process.execPath, [mainScript, 'run', '-c', configPath, '--node', node], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  context.after(async () => {
    if (agent.exitCode !== null || agent.signalCode !== null) return;
    const ended = once(agent, 'exit');
    agent.kill('SIGKILL');
    await ended;
  });
  await eventually(async () => {
    assert.equal(agent.exitCode, null, 'the agent ended');
    return fetchStatus(socketPath).then(
      () => true,
      () => false,
    );
  }, 'the agent answers');
  return agent;
}
