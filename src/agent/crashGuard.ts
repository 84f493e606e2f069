/**
 * The agent's hold on its guard (`guardProcess.ts`): starts it, tells it what to give up, starts
 * it again when it ends, and dismisses it when the agent has stopped politely.
 */
import { type CompanionProcess, startCompanion } from '../kernel/companionProcess.js';
import { holdLifeline } from '../kernel/lifeline.js';
import { scriptUrl } from '../scripts.js';
import type { VrrpConfiguration } from '../vrrp/protocol.js';
import type { FromGuard, ToGuard } from './guardProtocol.js';
import type { AgentLogger } from './logger.js';
import { nextRestart, noRestarts } from './restartDelay.js';

const guardScript = scriptUrl('agent/guardProcess');

/** What the guard needs to know of a configuration. */
export interface GuardConfiguration {
  readonly enabled: boolean;
  readonly election: VrrpConfiguration;
  /** The agent's API socket. */
  readonly socketPath: string;
}

/** The guard of this agent. */
export class CrashGuard {
  readonly #logger: AgentLogger;
  #wanted: GuardConfiguration | undefined;
  #process: CompanionProcess<ToGuard> | undefined;
  #lifelineFd: number | undefined;
  #ready = false;
  #history = noRestarts;
  #startedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: AgentLogger) {
    this.#logger = logger.child({ process: 'guard' });
  }

  /** What the status says; `undefined` while no guard is wanted. */
  get state(): { readonly restarts: number; readonly running: boolean } | undefined {
    if (this.#wanted === undefined) return undefined;
    return { restarts: this.#history.restarts, running: this.#ready };
  }

  /** Takes what runs now; without virtual routers there is nothing to guard. */
  configure(wanted: GuardConfiguration): void {
    if (!wanted.enabled || wanted.election.routers.length === 0) {
      this.dismiss();
      return;
    }
    this.#wanted = wanted;
    if (this.#process === undefined) this.#start();
    else this.#tell(this.#process, wanted);
  }

  /** The agent is about to end, and has given up its addresses itself. */
  dismiss(): void {
    this.#wanted = undefined;
    this.#ready = false;
    clearTimeout(this.#timer);
    const ended = this.#process;
    this.#process = undefined;
    // Nothing that is on its way can be lost or late in this manner.
    ended?.kill();
  }

  #start(): void {
    clearTimeout(this.#timer);
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    this.#startedAtMs = Date.now();
    try {
      // Held by this thread, which lives as long as the agent.
      this.#lifelineFd ??= holdLifeline();
      const started = startCompanion<ToGuard, FromGuard>(guardScript, this.#lifelineFd, {
        onReport: () => {
          if (this.#process === started) this.#ready = true;
        },
        onEnd: ({ code, signal }, error) => {
          if (this.#process !== started) return;
          this.#lost(error?.message ?? signal ?? `exit code ${code}`);
        },
      });
      this.#process = started;
      this.#tell(started, wanted);
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  #tell(companion: CompanionProcess<ToGuard>, { election, socketPath }: GuardConfiguration): void {
    const agentPid = process.pid;
    companion.post({ agentPid, configuration: election, socketPath });
  }

  /** Without its guard the agent works as before; only a crash takes longer to be noticed. */
  #lost(why: string): void {
    this.#process = undefined;
    this.#ready = false;
    if (this.#wanted === undefined) return;
    const { history, delayMs } = nextRestart(this.#history, Date.now() - this.#startedAtMs);
    this.#history = history;
    this.#logger.warn({ why, delayMs }, 'the guard ended; it is started again');
    this.#timer = setTimeout(() => this.#start(), delayMs).unref();
  }
}
