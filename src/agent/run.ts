/** Runs the agent in the foreground: signals, log, readiness, and the way out. */
import {
  type ConfigReadResult,
  type NodeChoice,
  readConfigFile,
  readConfigText,
} from '../config/read.js';
import { ServiceTextReader } from '../config/serviceTexts.js';
import { TandemError } from '../errors.js';
import { giveFreeMemoryBack, keepFreeMemorySmall } from '../kernel/memoryAllocator.js';
import { notifyServiceManager, watchdogIntervalMs } from '../kernel/serviceManager.js';
import { Agent } from './agent.js';
import { type AgentLog, openLog } from './logger.js';
import { afterReadMs, afterStartMs, memoryRelease } from './memoryRelease.js';
import { collectYoungGarbageInOwnThread, keepCompiledCode, optimiseLate } from './runtimeFlags.js';

/** Where the agent's configuration comes from. */
export interface RunOptions {
  readonly configPath: string;
  /** Absent: the node whose name is the hostname. */
  readonly node: string | undefined;
  readonly hostname: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
}

/** How long a stop may take before the process ends all the same, in milliseconds. */
const stopTimeoutMs = 10_000;

/** Runs until SIGTERM or SIGINT. Throws what kept the agent from starting. */
export async function runAgent(options: RunOptions): Promise<void> {
  keepFreeMemorySmall();
  collectYoungGarbageInOwnThread();
  keepCompiledCode();
  optimiseLate();
  const choice: NodeChoice = {
    ...(options.node === undefined ? {} : { node: options.node }),
    environment: options.environment,
    hostname: options.hostname,
  };
  const reader = new ServiceTextReader();
  const releaseMemory = memoryRelease();
  let agent: Agent | undefined;
  const readConfig = (): ConfigReadResult => {
    if (agent !== undefined) releaseMemory(afterReadMs);
    return readConfigFile(options.configPath, choice, reader);
  };
  // Before the file is read: whoever changes it from now on and says so must be heard, and until
  // somebody listens SIGHUP ends the process. It is delivered when the agent is there.
  process.on('SIGHUP', () => {
    agent?.reload().catch(() => {
      // The agent has logged it and keeps it for the status; the old configuration goes on.
    });
  });
  let loaded: ConfigReadResult | undefined = readConfig();
  const log = await openLog(loaded.config.log.level, process.stdout.isTTY === true);
  agent = new Agent({
    configPath: options.configPath,
    version: options.version,
    log,
    readConfig,
    readText: (file, text) => readConfigText(file, text, choice),
  });
  const ended = waitForEnd(log);
  try {
    const start = agent.start(loaded);
    // A large file is not held for as long as this function runs.
    loaded = undefined;
    await start;
    giveFreeMemoryBack();
    releaseMemory(afterStartMs);
  } catch (error) {
    log.logger.error({ err: error }, 'the agent could not start; undoing what was done');
    await agent.abandonStart();
    log.flush();
    throw error;
  }
  notifyServiceManager({ ready: true, status: agent.summary() });
  const watchdog = startWatchdog(agent, log);
  try {
    await ended;
    notifyServiceManager({ stopping: true });
  } finally {
    clearInterval(watchdog);
    await stopBounded(agent, log);
  }
}

/** Resolves at the first signal to stop, rejects at an error that nobody caught. */
function waitForEnd(log: AgentLog): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        log.logger.info({ signal }, `stopping on ${signal}`);
        resolve();
      });
    }
    const fail = (error: unknown): void => {
      log.logger.fatal({ err: error }, 'an error that nobody caught; stopping');
      reject(
        error instanceof TandemError
          ? error
          : new TandemError('INTERNAL', error instanceof Error ? error.message : String(error), {
              cause: error,
            }),
      );
    };
    process.on('uncaughtException', fail);
    process.on('unhandledRejection', fail);
  });
}

/**
 * Feeds systemd's watchdog at half its interval, and only while the agent is sound. This timer is
 * the main thread's own proof of life: when main stalls, nothing is fed.
 */
function startWatchdog(agent: Agent, log: AgentLog): NodeJS.Timeout | undefined {
  const intervalMs = watchdogIntervalMs();
  if (intervalMs === undefined) return undefined;
  return setInterval(
    () => {
      const complaint = agent.complaint();
      if (complaint === undefined)
        notifyServiceManager({ watchdog: true, status: agent.summary() });
      else log.logger.error({ complaint }, 'the watchdog is not fed');
    },
    Math.max(10, Math.floor(intervalMs / 2)),
  );
}

async function stopBounded(agent: Agent, log: AgentLog): Promise<void> {
  const timer = setTimeout(() => {
    log.logger.error(`stopping took more than ${stopTimeoutMs / 1000} s; ending all the same`);
    log.flush();
    process.exit(1);
  }, stopTimeoutMs);
  await agent.stop();
  clearTimeout(timer);
  log.logger.info('stopped');
  log.flush();
}
