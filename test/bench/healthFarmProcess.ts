/** The servers of the health benchmark as the one who measures sees them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FarmReport } from './healthFarm.js';
import { backendPort, type HealthSetting } from './healthModel.js';

/** The servers, in their own process. */
export class HealthFarm {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  #asked: Promise<unknown> = Promise.resolve();

  constructor({ kind }: Pick<HealthSetting, 'kind'>) {
    const script = fileURLToPath(new URL('./healthFarm.js', import.meta.url));
    const args = [script, String(backendPort), kind];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.#child.stdout === null) throw new Error('the servers have no output');
    this.#lines = createInterface(this.#child.stdout);
  }

  async ready(): Promise<void> {
    await once(this.#lines, 'line');
  }

  async tell(line: string): Promise<void> {
    await new Promise((resolve) => this.#child.stdin?.write(`${line}\n`, resolve));
  }

  async report(): Promise<FarmReport> {
    return JSON.parse(await this.#ask('report')) as FarmReport;
  }

  /** When an address was last connected to, on the clock of this process; long ago if never. */
  async lastConnection(address: string): Promise<number> {
    return Number(await this.#ask(`last ${address}`)) - performance.timeOrigin;
  }

  /** One question after the other, since an answer does not say what it answers. */
  #ask(question: string): Promise<string> {
    const answer = this.#asked.then(async () => {
      const line = once(this.#lines, 'line');
      await this.tell(question);
      return String((await line)[0]);
    });
    this.#asked = answer.catch(() => undefined);
    return answer;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}
