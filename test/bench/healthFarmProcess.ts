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
    const answer = once(this.#lines, 'line');
    await this.tell('report');
    return JSON.parse(String((await answer)[0])) as FarmReport;
  }

  /** When an address was last connected to, on the clock of this process; long ago if never. */
  async lastConnection(address: string): Promise<number> {
    const answer = once(this.#lines, 'line');
    await this.tell(`last ${address}`);
    return Number((await answer)[0]) - performance.timeOrigin;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}
